//! Messages changed on their way: another number, another body.

use bytes::{Bytes, BytesMut};

/// The message with another number in its CSeq.
pub fn renumbered(bytes: &Bytes, sequence: u32) -> Bytes {
    rebuilt(bytes, |line| {
        let value = field(line, "cseq")?;
        let method = value.rsplit(' ').next().unwrap_or_default();
        Some(format!("CSeq: {sequence} {method}"))
    })
}

/// The message with this SDP as its body, or with none.
pub fn with_body(bytes: &Bytes, body: &[u8]) -> Bytes {
    let told = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    let head = rebuilt(&bytes.slice(..told), |line| {
        let gone = field(line, "content-type").is_some() || field(line, "content-length").is_some();
        gone.then(String::new)
    });
    let mut out = BytesMut::from(&head[..]);
    if !body.is_empty() {
        out.extend_from_slice(b"Content-Type: application/sdp\r\n");
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body);
    out.freeze()
}

/// The value, if the line is this header's.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
}

/// Each header line as `change` wants it (empty: without it); the body as it is.
fn rebuilt(bytes: &Bytes, change: impl Fn(&str) -> Option<String>) -> Bytes {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned();
    let mut out = BytesMut::with_capacity(bytes.len() + 16);
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let line = change(line).unwrap_or_else(|| line.to_string());
        if !line.is_empty() {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    if let Some(end) = end {
        out.extend_from_slice(&bytes[end + 2..]);
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        b"INVITE sip:a@b SIP/2.0\r\nCSeq: 3 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 2\r\n\r\nv=";

    #[test]
    fn a_number_and_a_body_are_changed_and_nothing_else() {
        let message = Bytes::from_static(MESSAGE);
        let renumbered = renumbered(&message, 9);
        assert_eq!(
            String::from_utf8_lossy(&renumbered),
            String::from_utf8_lossy(MESSAGE).replace("CSeq: 3 INVITE", "CSeq: 9 INVITE")
        );
        let bare = with_body(&message, b"");
        assert_eq!(&bare[..], b"INVITE sip:a@b SIP/2.0\r\nCSeq: 3 INVITE\r\nContent-Length: 0\r\n\r\n");
        assert!(with_body(&bare, b"o=1").ends_with(b"Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\no=1"));
    }
}
