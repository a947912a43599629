//! The words of the SIP core: what enters it and what leaves it. Plain values, no handles.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    Udp,
    Tcp,
}

/// Where a message came from or goes to. On TCP `connection` is the shell's number of a live connection;
/// 0 asks the shell to open one to `remote` (or to use one it has).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub connection: u64,
}

/// One INVITE session (a leg): one early or confirmed dialog, or the attempt at one. Never reused.
/// Incoming ones are numbered by the core, outgoing ones by [`crate::Endpoint::new_session`], from the same counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// What enters the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// One whole message: a datagram, or one message cut from a stream by [`crate::framing`].
    Received {
        flow: Flow,
        bytes: Bytes,
    },
    /// A stream ended, or what was to be sent could not be (RFC 3261 18.4).
    TransportFailed {
        flow: Flow,
    },
    /// The deadline passed.
    Due,

    /// 180 without a body, 183 or 180 with early media. Sent reliably (RFC 3262) if the peer can and there is an SDP, or
    /// if it must. Without an offer in the INVITE the SDP is ours to offer, and left out unless it goes reliably.
    Ring {
        session: SessionId,
        status: u16,
        sdp: Option<Bytes>,
    },
    /// 200 to the INVITE. Retransmitted until its ACK (RFC 3261 13.3.1.4). It waits for the PRACK of an SDP that went out
    /// by `Ring`, and does not repeat that: `sdp` is then the same.
    Answer {
        session: SessionId,
        sdp: Bytes,
    },
    /// Final refusal of an INVITE that was not answered.
    Reject {
        session: SessionId,
        refusal: Refusal,
    },
    /// Dial.
    Invite {
        session: SessionId,
        dial: Box<Dial>,
    },
    /// Whatever ends the session from where it is: refusal 480 to one that came in and was not answered, CANCEL
    /// (after the first provisional, RFC 3261 9.1), ACK and BYE to a 200 that crosses it, or BYE.
    HangUp {
        session: SessionId,
        reason: Option<Reason>,
    },
    /// A re-INVITE with this offer; glare is retried inside (RFC 3261 14.1).
    Reoffer {
        session: SessionId,
        sdp: Bytes,
    },
    /// Our answer (or, where `Output::Reoffered` had no offer, our full offer) to the peer's re-INVITE.
    AnswerReoffer {
        session: SessionId,
        sdp: Bytes,
    },
    /// The peer's re-INVITE can't be accepted; the session goes on as it was.
    RefuseReoffer {
        session: SessionId,
        refusal: Refusal,
    },
    /// 202 to a REFER (RFC 3515), with NOTIFY 100 as its subscription begins. Unless the request was `norefersub`.
    AcceptRefer {
        session: SessionId,
    },
    RefuseRefer {
        session: SessionId,
        refusal: Refusal,
    },
    /// How the transfer goes: NOTIFY with this status line. A final status ends the subscription.
    ReferProgress {
        session: SessionId,
        status: u16,
    },
    /// From now on: new INVITEs and OPTIONS get 503.
    Drain,
}

/// A final refusal. `reason` becomes a Reason header (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub status: u16,
    pub phrase: Option<Arc<str>>,
    pub reason: Option<Reason>,
    pub retry_after: Option<u32>,
}

/// RFC 3326: `SIP;cause=200;text="Call completed elsewhere"` or `Q.850;cause=17;text="User busy"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub protocol: Arc<str>,
    pub cause: u16,
    pub text: Arc<str>,
}

/// Where and how to dial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// Request-URI, as registered or configured.
    pub uri: Arc<str>,
    /// Next hop; its `local` is the address of ours that faces it.
    pub flow: Flow,
    /// The Call-ID, made by the caller of this core so that it can be written beside a recording.
    pub call_id: Arc<str>,
    /// From: display name and user part (the host part is ours).
    pub from_display: base::Pii<Arc<str>>,
    pub from_user: base::Pii<Arc<str>>,
    pub sdp: Bytes,
    /// Answer to a 401 or 407 of exactly this realm (security row 26).
    pub credential: Option<DialCredential>,
    /// No provisional within this: `Output::NoProvisional` (calls.md line 3: 4 s).
    pub provisional_within: Duration,
    /// The caller wants to stay unknown: From is anonymous, `Privacy: id` (RFC 3323, 3325).
    pub withheld: bool,
    /// The phone is asked to answer by itself: Answer-Mode (RFC 5373) and the Call-Info and Alert-Info that older phones know.
    pub auto_answer: bool,
    /// Further header lines, name and value, checked against CR and LF. `Max-Forwards` and `Max-Breadth` of the call
    /// that this one is dialled for go in here (RFC 7332 4).
    pub headers: Vec<(Arc<str>, Arc<str>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialCredential {
    pub realm: Arc<str>,
    pub username: Arc<str>,
    pub password: base::Pii<Arc<str>>,
}

/// Who sent an INVITE: never taken from a header (security row 35).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// A trunk of the site, known by source address or by digest.
    Trunk(Arc<str>),
    /// A phone that proved a credential of the site; the user's name.
    Phone(Arc<str>),
}

/// What leaves the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Command to the signalling shell.
    Transmit { flow: Flow, bytes: Bytes },
    /// Command to the signalling shell: nothing uses this connection any more or it misbehaves.
    CloseConnection { flow: Flow },

    /// A new call. 100 was sent already.
    Incoming { session: SessionId, peer: Peer, invite: Box<IncomingInvite> },
    /// 1xx to our INVITE (not 100). 180 rings; an SDP is early media.
    Progress { session: SessionId, status: u16, sdp: Option<Bytes> },
    /// Nothing, not even 100, came in `provisional_within`. The session lives until hung up.
    NoProvisional { session: SessionId },
    /// The 200 to our INVITE; its ACK is on its way. Later 200s of other forks get ACK and BYE inside.
    Answered { session: SessionId, sdp: Bytes },
    /// Our INVITE failed; the session is over. 3xx comes here and is never followed. 408 also when nobody answered in time.
    Failed { session: SessionId, status: u16 },
    /// The ACK to our 200 came; with the peer's answer, if the 200 held our offer (RFC 3261 13.2.1).
    Confirmed { session: SessionId, sdp: Option<Bytes> },
    /// The peer's re-INVITE or UPDATE; `None`: it wants our offer (RFC 3261 14.2). Answer it. An UPDATE may come before
    /// the call is answered, on either side (RFC 3311).
    Reoffered { session: SessionId, sdp: Option<Bytes> },
    /// The end of our `Reoffer`: the peer's answer, or the status that refused it. Unasked when the peer moved its media
    /// in its answer to a refresh of the session timer.
    ReofferDone { session: SessionId, result: Result<Bytes, u16> },
    /// The peer asks for a transfer (RFC 3515), with rights that are the engine's to check (security row 36). Answer it.
    /// `ReferProgress` is heard even after `Ended`, for up to three minutes.
    Referred { session: SessionId, refer: Box<Refer> },
    /// The session timer was refreshed (RFC 4028), by whom ever: the dialog lives. Nothing need be done: the core refreshes
    /// by itself, and ends a session that nobody refreshed as `Lost`.
    Refreshed { session: SessionId },
    /// An INFO's body; 200 was sent. Content type in lower case without parameters.
    Info { session: SessionId, content_type: Arc<str>, body: Bytes },
    /// The session is over: the last word about it, except after `Failed`.
    Ended { session: SessionId, by: EndedBy, reason: Option<Reason> },

    /// The bindings of an address of record changed; this is the whole list, for the routing and to be kept over a restart.
    Registered { user: Arc<str>, bindings: Vec<Binding> },
    /// For the log: something hostile or broken, with the address a filter can act on. `what` holds no header text.
    Suspicious { remote: SocketAddr, what: Arc<str> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndedBy {
    /// BYE or CANCEL of the peer.
    Peer,
    /// Our `HangUp` is complete.
    Us,
    /// No ACK, no answer in the dialog (408, 481), transport gone.
    Lost,
}

/// A transfer that a phone asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refer {
    /// The user part of Refer-To's URI, unescaped.
    pub to: base::Pii<Arc<str>>,
    /// Refer-To named a dialog of ours by Replaces (RFC 3891): the transfer is attended.
    pub replaces: Option<Replaces>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replaces {
    Session(SessionId),
    /// No dialog of ours has that name.
    Unknown,
}

/// What the engine needs of an INVITE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingInvite {
    /// The user part of the request URI, unescaped: the number dialled.
    pub dialled: Arc<str>,
    /// From's user part and display name. P-Asserted-Identity instead, if the peer is a trunk (line 14 of calls.md).
    pub caller: base::Pii<Arc<str>>,
    pub caller_name: base::Pii<Arc<str>>,
    pub call_id: Arc<str>,
    pub offer: Option<Bytes>,
    pub flow: Flow,
    /// Hops left; 70 if the request does not say (RFC 3261 8.1.1.6).
    pub max_forwards: u8,
    /// How many branches may be open at once because of this call, over all hops; 60 if the request does not say
    /// (RFC 5393 5.3.3). Whoever dials because of it hands its share on as `Max-Breadth` in [`Dial::headers`].
    pub max_breadth: u32,
    /// Privacy was asked for (RFC 3323 `id`, `user`, `header`) or From is anonymous: number and name are shown nowhere,
    /// and of a trunk's call they are empty here.
    pub withheld: bool,
    /// The numbers the call was meant for before it was diverted, the first one first: History-Info (RFC 7044), else
    /// Diversion (RFC 5806). From trunks only.
    pub diverted_from: Vec<Arc<str>>,
    /// User-to-User (RFC 7433), as it stands, at most 512 bytes. From trunks only.
    pub user_to_user: Option<base::Pii<Arc<str>>>,
    /// The INVITE wants the place of this session of ours, early or confirmed (RFC 3891). Whether it may, and hanging
    /// that one up, is the engine's.
    pub replaces: Option<SessionId>,
}

/// A contact of a registered phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The contact's URI as the phone gave it.
    pub contact: Arc<str>,
    /// Where its REGISTER came from: requests go there (NAT, RFC 3581), whatever the URI says.
    pub flow: Flow,
    pub call_id: Arc<str>,
    pub cseq: u32,
    pub user_agent: Arc<str>,
    pub expires: base::Wall,
}
