//! SIP without I/O: messages, SDP, digest; transactions, dialogs, sessions and registrations as machines.

pub mod digest;
pub mod framing;
pub mod header;
pub mod message;
mod overload;
pub mod sdp;
pub mod uri;
mod words;

pub use header::{HeaderId, MediaType, NameAddr, Params, Via, ViaTransport};
pub use message::{BadHeader, BadMessage, Builder, Contacts, Message, Method, ParseError, StartLine, response_to};
pub use overload::{begins_call, overloaded};
pub use uri::{BadUri, Host, Scheme, Uri};
pub use words::*;
