//! How Meta signs what it sends to a hook.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The value of `X-Hub-Signature-256`: over the raw bytes.
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", proof(app_secret, body))
}

/// What `appsecret_proof` has to be for a token.
pub(super) fn proof(app_secret: &str, of: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).expect("any length will do");
    mac.update(of);
    hex(&mac.finalize().into_bytes())
}

/// As the Graph API names the content of a file.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
