//! How well the two ends of a leg heard each other: as facts keep it, and screens show it.

use serde::{Deserialize, Serialize};

/// What one leg heard and, as far as its peer said, was heard. Of a leg that lives: so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LegQuality {
    /// Its encoding name, such as `PCMA`.
    pub codec: String,
    pub received: Received,
    pub sent: Sent,
    /// Of the network to the peer and back by RTCP, mean and maximum. None: it was never measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_max_us: Option<u64>,
    /// Packets dropped: not the peer's, or malformed.
    pub strangers: u64,
    /// Packets of the peer dropped because there were too many in a second.
    pub excess: u64,
}

/// The stream that the peer sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Received {
    pub packets: u64,
    pub lost: u64,
    /// Of those received: after one with a higher number, and a number that had come before.
    pub late: u64,
    pub duplicates: u64,
    /// Of those received: too late for the jitter buffer. Only where the leg was mixed; one that is relayed holds back none.
    #[serde(default)]
    pub discarded: u64,
    /// Losses in a row: how many times, the longest, and the mean in packets (0: none was lost).
    pub bursts: u64,
    pub longest_burst: u64,
    pub mean_burst: f64,
    /// Interarrival jitter (RFC 3550 6.4.1), mean and maximum.
    pub jitter_us: u64,
    pub jitter_max_us: u64,
    #[serde(flatten)]
    pub rated: Rated,
}

/// The stream that we sent, and what the peer's reports say of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub packets: u64,
    /// None: the peer never reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reported {
    pub reports: u64,
    pub lost: u64,
    pub jitter_us: u64,
    pub jitter_max_us: u64,
    #[serde(flatten)]
    pub rated: Rated,
}

/// One direction by the E-model (ITU-T G.107). None where nothing came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rated {
    /// Lost / expected, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Transmission rating, 0 to 93.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<f64>,
    /// Mean opinion score, estimated, 1 to 4.41.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos: Option<f64>,
}

/// Whose leg it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who called, or is called back.
    Customer,
    Agent,
    /// Somebody else: consulted, joined, dialled.
    Third,
    Supervisor,
}
