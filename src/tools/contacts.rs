//! People the business knew before.

use super::{Acquaintance, Done, ToolError, Tools};
use crate::store::{Known, KnownAs, known_name};

impl Tools {
    pub(super) async fn know(&self, people: Vec<Acquaintance>) -> Result<Done, ToolError> {
        let (at, count) = (self.clock.now(), people.len());
        let people = people.into_iter().map(|it| {
            let KnownAs { channel, name } = it.known_as;
            (KnownAs { channel, name: known_name(&name) }, Known { at, name: it.name, language: it.language })
        });
        let new = self.archive.know(people.collect()).await?;
        Ok(Done::Known { new, already: count - new })
    }
}
