//! SIP without I/O: messages, SDP, digest; transactions, dialogs, sessions and registrations as machines.

mod config;
mod describe;
mod desk;
mod dialog;
pub mod digest;
mod endpoint;
pub mod framing;
pub mod header;
mod identify;
pub mod message;
mod overload;
mod refer;
mod registrar;
mod respond;
mod screen;
pub mod sdp;
mod seal;
mod session;
#[cfg(test)]
mod test;
mod transaction;
pub mod uri;
mod words;

pub use config::{Advertised, Config, May, TrunkConfig, UserCredential};
pub use endpoint::Endpoint;
pub use header::{HeaderId, MediaType, NameAddr, Params, RAck, ReferTo, ReplacesField, Via, ViaTransport};
pub use message::{BadHeader, BadMessage, Builder, Contacts, Message, Method, ParseError, StartLine, response_to};
pub use overload::{begins_call, overloaded};
pub use uri::{BadUri, Host, Scheme, Uri};
pub use words::*;
