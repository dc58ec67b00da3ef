use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use frontdesk_core::{
    Adapter, Address, Side, ThreadId,
    contract::{self, Counterpart, FarSide},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::bench::{Bench, adapter};
use crate::operator::NewRoom;

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_desk_keeps_the_contract() {
    let bench = Bench::new().await;
    // Not encrypted: the first words are written before we have a device that could get their key.
    let room = bench
        .ann
        .create_room(NewRoom { encrypted: false, invite: vec![bench.bot.user_id.clone()], ..NewRoom::default() })
        .await;
    let lose = Arc::new(AtomicBool::new(false));
    let homeserver = proxy(bench.synapse.url(), lose.clone()).await;
    if let Err(report) = contract::check(&Desk { bench, room, homeserver, lose }).await {
        panic!("{report}");
    }
}

struct Desk {
    bench: Bench,
    room: String,
    /// The homeserver, behind a proxy that can lose an answer.
    homeserver: String,
    lose: Arc<AtomicBool>,
}

impl Desk {
    /// What stands in the room, or in a thread of it, as words; ours only.
    fn ours(&self, thread: Option<&ThreadId>) -> Vec<String> {
        let thread = thread.map(ThreadId::as_str);
        let timeline = self.bench.ann.timeline(&self.room);
        let ours = timeline.iter().filter(|event| event.sender == self.bench.bot.user_id && !event.body().is_empty());
        let there = ours.filter(|event| event.thread_root() == thread || Some(event.event_id.as_str()) == thread);
        there.map(|event| event.body().to_owned()).collect()
    }
}

#[async_trait]
impl FarSide for Desk {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        let (bench, desk) = (&self.bench, json!({ "room": self.room }));
        Arc::new(adapter(&self.homeserver, &bench.bot.user_id, &bench.password(), &[desk], bench.disk.path()))
    }

    fn person(&self) -> Counterpart {
        let id = self.bench.ann.user_id();
        Counterpart {
            id: id.into(),
            name: id[1..].split(':').next().unwrap_or_default().to_owned(),
            at: Address::Desk { desk: "main".into(), thread: None },
            side: Side::Desk { desk: "main".into(), thread: None },
        }
    }

    async fn says(&self, text: &str) {
        self.bench.ann.say(&self.room, text).await;
    }

    async fn sees(&self) -> Vec<String> {
        self.ours(None)
    }

    async fn lose_next_answer(&self) -> bool {
        self.lose.store(true, Ordering::SeqCst);
        true
    }

    async fn says_in(&self, thread: &ThreadId, text: &str) {
        self.bench.ann.say_in_thread(&self.room, thread.as_str(), text).await;
    }

    async fn sees_in(&self, thread: &ThreadId) -> Vec<String> {
        self.ours(Some(thread))
    }
}

/// Passes everything on; when told to, one send's answer is thrown away with its connection.
async fn proxy(homeserver: String, lose: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let target = homeserver.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Who is cut off notices it at the other end.
            tokio::spawn(pass(client, target.clone(), lose.clone()));
        }
    });
    place
}

async fn pass(mut client: TcpStream, target: String, lose: Arc<AtomicBool>) -> io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut doomed = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let bytes = &up[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let head = String::from_utf8_lossy(bytes);
                let send = head.starts_with("PUT ") && head.contains("/rooms/") && head.contains("/send/");
                doomed |= send && lose.swap(false, Ordering::SeqCst);
                server.write_all(bytes).await?;
            }
            read = server.read(&mut down) => {
                let bytes = &down[..read?];
                if bytes.is_empty() || doomed {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}
