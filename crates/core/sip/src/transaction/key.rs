//! How messages find their transactions: RFC 3261 17.1.3 and 17.2.3.

use crate::{HeaderId, Message, Method, Via};
use std::sync::Arc;

/// Our branch and the method of CSeq.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientKey {
    branch: Arc<str>,
    method: Method,
}

impl ClientKey {
    /// Of our request, or of a response to it.
    pub fn of(message: &Message) -> Option<Self> {
        let branch = Arc::from(&*message.via().ok()?.branch?);
        Some(ClientKey { branch, method: message.cseq().ok()?.1 })
    }
}

/// The peer's branch with its sent-by, and the method; an ACK has the key of its INVITE.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerKey {
    branch: Arc<str>,
    method: Method,
}

impl ServerKey {
    pub fn of(request: &Message) -> Option<Self> {
        let method = match request.method()? {
            Method::Ack => Method::Invite,
            other => other,
        };
        Some(ServerKey { branch: branch_of(request)?.into(), method })
    }

    pub fn for_method(self, method: Method) -> Self {
        ServerKey { method, ..self }
    }
}

/// Branch and sent-by as one word. A peer of RFC 2543 gives no unique branch: then what 17.2.3 lists for it, without
/// the To tag, which its ACK has and its INVITE has not.
fn branch_of(request: &Message) -> Option<String> {
    let via = request.via().ok()?;
    match via.branch.as_deref() {
        Some(branch) if branch.starts_with(Via::COOKIE) => {
            let host = via.host.to_string().to_ascii_lowercase();
            Some(format!("{branch} {host}:{}", via.port.unwrap_or(5060)))
        }
        _ => {
            let top = request.values(HeaderId::Via).next()?;
            let tag = request.from().ok()?.tag;
            let sequence = request.cseq().ok()?.0;
            let top = String::from_utf8_lossy(&top);
            Some(format!("2543 {} {} {sequence} {top}", request.call_id().ok()?, tag.as_deref().unwrap_or_default()))
        }
    }
}

/// Call-ID, From tag and CSeq of a request outside a dialog: RFC 3261 8.2.2.2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Merged {
    call_id: Arc<str>,
    from_tag: Arc<str>,
    sequence: u32,
    method: Method,
}

impl Merged {
    pub fn of(request: &Message) -> Option<Self> {
        if request.to().ok()?.tag.is_some() {
            return None;
        }
        let (sequence, method) = request.cseq().ok()?;
        let from_tag = Arc::from(&*request.from().ok()?.tag?);
        Some(Merged { call_id: Arc::from(request.call_id().ok()?), from_tag, sequence, method })
    }
}
