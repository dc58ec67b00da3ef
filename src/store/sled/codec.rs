//! Values: a version byte, then JSON. What is long lies in pieces beside it, because sled puts a page that is larger
//! than 128 KiB into a file of its own that it does not sync, and a page may hold twenty values.

use serde::{Serialize, de::DeserializeOwned};

/// The form of all values so far.
const VERSION: u8 = 1;
/// Instead of the version: the value lies in pieces, whose number follows.
const SPLIT: u8 = 0x80;
/// The longest value in one key, in bytes.
pub(super) const PIECE: usize = 4096;

/// What lies at a value's key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    Whole(&'a [u8]),
    /// How many pieces the encoded value is cut into.
    Split(u32),
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, value).map_err(|error| error.to_string())?;
    Ok(bytes)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|error| without_words(&error)),
        Some((version, _)) => Err(format!("a value has the unknown version {version}")),
        None => Err("a value is empty".to_owned()),
    }
}

/// Where a value cannot be read and why; what it says stays out of logs.
fn without_words(error: &serde_json::Error) -> String {
    format!("a value cannot be read ({:?} error at byte {})", error.classify(), error.column())
}

pub(super) fn stored(bytes: &[u8]) -> Result<Stored<'_>, String> {
    match bytes.split_first() {
        Some((&SPLIT, count)) => match <[u8; 4]>::try_from(count) {
            Ok(count) => Ok(Stored::Split(u32::from_be_bytes(count))),
            Err(_) => Err("a value's count of pieces is cut short".to_owned()),
        },
        Some(_) | None => Ok(Stored::Whole(bytes)),
    }
}

pub(super) fn split(pieces: u32) -> Vec<u8> {
    let mut bytes = vec![SPLIT];
    bytes.extend_from_slice(&pieces.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        assert_eq!(decode::<Vec<u8>>(&encode(&vec![1_u8, 2]).unwrap()), Ok(vec![1, 2]));
        assert_eq!(encode(&"a").unwrap(), b"\x01\"a\"");
    }

    #[test]
    fn a_value_of_a_later_version_is_refused() {
        assert_eq!(decode::<String>(b"\x02\"a\""), Err("a value has the unknown version 2".to_owned()));
        assert!(decode::<String>(b"").is_err());
    }

    #[test]
    fn a_split_value_says_in_how_many_pieces() {
        assert_eq!(stored(&split(3)), Ok(Stored::Split(3)));
        assert!(stored(&[SPLIT, 1]).is_err());
    }
}
