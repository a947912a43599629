//! Header fields: their names, and values read into types when somebody asks.

mod address;
mod media_type;
mod name;
mod params;
mod rack;
mod refer_to;
mod replaces;
mod via;

pub use address::NameAddr;
pub use media_type::MediaType;
pub use name::HeaderId;
pub use params::Params;
pub use rack::RAck;
pub use refer_to::{BadReferTo, ReferTo};
pub use replaces::ReplacesField;
pub use via::{Via, ViaTransport};
