//! Secrets are compared without telling by the time it takes how much of them was right.

use frontdesk_core::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What `X-Hub-Signature-256` says about a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    Right,
    /// Not signed at all, or not in this way.
    Missing,
    /// Signed with another app's secret, or not the same bytes.
    Wrong,
}

/// Over the bytes as they came: the same JSON written in another way has another signature.
pub(crate) fn check(secret: &Secret, header: Option<&[u8]>, body: &[u8]) -> Signature {
    let signature = match claimed(header) {
        Ok(signature) => signature,
        Err(bad) => return bad,
    };
    match keyed(secret.expose().as_bytes(), body).map(|mac| mac.verify_slice(&signature)) {
        Some(Ok(())) => Signature::Right,
        Some(Err(_)) | None => Signature::Wrong,
    }
}

/// What a header says the signature is. Where it says none, nothing that follows can be right.
pub(crate) fn claimed(header: Option<&[u8]>) -> Result<[u8; 32], Signature> {
    let hex = header.and_then(|header| header.strip_prefix(b"sha256=")).ok_or(Signature::Missing)?;
    let mut signature = [0; 32];
    hex::decode_to_slice(hex, &mut signature).map_err(|_| Signature::Wrong)?;
    Ok(signature)
}

/// The header for a body of our own.
pub(crate) fn sign(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", proof(secret, body))
}

/// In hexadecimal.
pub(crate) fn proof(secret: &Secret, text: &[u8]) -> String {
    keyed(secret.expose().as_bytes(), text).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
}

pub(crate) fn same(one: &Secret, other: &str) -> bool {
    let key = one.expose().as_bytes();
    match (keyed(key, key), keyed(key, other.as_bytes())) {
        (Some(one), Some(other)) => one.verify_slice(&other.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

/// A key of any length is taken, so there always is one.
fn keyed(key: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("key")
    }

    /// The usual example of an HMAC-SHA256.
    const FOX: &[u8] = b"The quick brown fox jumps over the lazy dog";
    const FOX_SIGNED: &[u8] = b"sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";

    #[test]
    fn a_known_signature_is_right_and_every_change_is_wrong() {
        assert_eq!(check(&secret(), Some(FOX_SIGNED), FOX), Signature::Right);
        assert_eq!(check(&Secret::new("other"), Some(FOX_SIGNED), FOX), Signature::Wrong);
        assert_eq!(check(&secret(), Some(FOX_SIGNED), &FOX[1..]), Signature::Wrong);
        assert_eq!(check(&secret(), Some(&FOX_SIGNED[..69]), FOX), Signature::Wrong);
        assert_eq!(check(&secret(), Some(b"sha256=hello"), FOX), Signature::Wrong);
        assert_eq!(check(&secret(), Some(b"sha256="), FOX), Signature::Wrong);
    }

    #[test]
    fn what_is_not_signed_is_told_from_what_is_signed_wrong() {
        assert_eq!(check(&secret(), None, FOX), Signature::Missing);
        assert_eq!(check(&secret(), Some(b"sha1=f7bc83f4"), FOX), Signature::Missing);
    }

    #[test]
    fn what_we_sign_is_right() {
        assert_eq!(check(&secret(), Some(sign(&secret(), FOX).as_bytes()), FOX), Signature::Right);
    }

    #[test]
    fn only_the_same_word_is_the_same() {
        assert!(same(&secret(), "key"));
        for other in ["", "ke", "kez", "keyy", "Key"] {
            assert!(!same(&secret(), other), "{other}");
        }
    }
}
