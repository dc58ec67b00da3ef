//! A multipart form, as uploads come.

pub(super) struct Part {
    pub name: String,
    pub file_name: Option<String>,
    pub mime: Option<String>,
    pub bytes: Vec<u8>,
}

/// `None` where it is none.
pub(super) fn parts(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = content_type.strip_prefix("multipart/form-data")?.split_once("boundary=")?.1.trim_matches('"');
    let marker = format!("\r\n--{boundary}");
    let (mut parts, mut rest) = (Vec::new(), body.strip_prefix(&marker.as_bytes()[2..])?);
    while let Some(end) = position(rest, marker.as_bytes()) {
        let part = rest.get(2..end)?;
        let split = position(part, b"\r\n\r\n")?;
        parts.push(part_of(&String::from_utf8_lossy(&part[..split]), &part[split + 4..])?);
        rest = &rest[end + marker.len()..];
    }
    rest.starts_with(b"--").then_some(parts)
}

fn part_of(head: &str, bytes: &[u8]) -> Option<Part> {
    let quoted = |key: &str| Some(head.split_once(key)?.1.split('"').next()?.to_owned());
    let mime = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-type:").map(str::to_owned));
    Some(Part {
        name: quoted("; name=\"")?,
        file_name: quoted("; filename=\""),
        mime: mime.map(|mime| mime.trim().to_owned()),
        bytes: bytes.to_vec(),
    })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == first) {
        at += found;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
    None
}
