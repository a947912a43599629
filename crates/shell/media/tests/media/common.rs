//! A running plane on loopback ports, and peers that are plain sockets.

use base::{CallId, ConversationId, LegId, RecordingId};
use crossbeam::channel::{self, Receiver};
use media::rtp::{FRAME, Header, Line, Packet};
use media::{Codec, Command, Input, Law, Prompt, PromptBook, Session, Sidecar, tone};
use shell_media::{Config, Handle, MediaPlane, Sound, SoundError};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vault::{Keyring, MasterKey};

pub const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
pub const CALLER: LegId = LegId { call: CALL, n: 1 };
pub const AGENT: LegId = LegId { call: CALL, n: 2 };
pub const SUPERVISOR: LegId = LegId { call: CALL, n: 3 };
pub const RECORDING: RecordingId = RecordingId { conversation: ConversationId { call: CALL, n: 1 }, n: 1 };
pub const FILE: &str = "acme/2026-10-01/1-1-1.c1.p1";
/// Longer than anything here takes, even on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Room {
    pub handle: Option<Handle>,
    pub inputs: Receiver<Input>,
    pub folder: tempfile::TempDir,
}

impl Room {
    pub fn new() -> Room {
        Room::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Room {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path(), Arc::new(prompts()));
        change(&mut config);
        let (sender, inputs) = channel::unbounded();
        let handle = MediaPlane::start(config, Arc::new(move |input| drop(sender.send(input)))).unwrap();
        Room { handle: Some(handle), inputs, folder }
    }

    pub fn send(&self, command: Command) {
        self.handle.as_ref().unwrap().send(command);
    }

    /// Both hear each other.
    pub fn join(&self, a: LegId, b: LegId) {
        self.hear(a, &[b]);
        self.hear(b, &[a]);
    }

    pub fn hear(&self, leg: LegId, others: &[LegId]) {
        self.send(Command::Hear { leg, others: others.to_vec() });
    }

    /// The next Input that fits; those before it are passed over.
    pub fn wait(&self, fits: impl Fn(&Input) -> bool) -> Input {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let input = self.inputs.recv_deadline(deadline).expect("an Input that was waited for");
            if fits(&input) {
                return input;
            }
        }
    }

    /// Opens a leg on free ports, for a peer with a socket of its own.
    pub fn peer(&self, leg: LegId) -> Peer {
        loop {
            let port = free_ports();
            self.send(Command::Open { leg, address: Ipv4Addr::LOCALHOST.into(), port });
            let answer = self.wait(|i| matches!(i, Input::Opened { .. } | Input::OpenFailed { .. }));
            if answer == (Input::Opened { leg, port }) {
                let peer = Peer::new(leg, port);
                self.send(Command::Configure { leg, session: peer.session() });
                return peer;
            }
        }
    }

    pub fn record(&self) {
        self.record_legs(&[CALLER], &[AGENT]);
    }

    pub fn record_legs(&self, left: &[LegId], right: &[LegId]) {
        let (left, right, sidecar) = (left.to_vec(), right.to_vec(), Box::new(sidecar()));
        self.send(Command::Record { recording: RECORDING, left, right, file: FILE.into(), sidecar });
        self.wait(|i| matches!(i, Input::RecordingStarted { .. }));
    }

    /// A room whose recordings are sealed.
    pub fn sealed(change: impl FnOnce(&mut Config)) -> Room {
        Room::with(|config| {
            config.keys = Some(Arc::new(keys(&["2026"])));
            change(config);
        })
    }

    /// What is heard of the recording, whatever it is on disk.
    pub fn sound(&self) -> Result<Sound, SoundError> {
        Sound::open(self.folder.path(), FILE, &RECORDING.to_string(), Some(&keys(&["2026"])))
    }

    pub fn wav(&self) -> PathBuf {
        self.folder.path().join(format!("{FILE}.wav"))
    }

    pub fn note(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.folder.path().join(format!("{FILE}.json"))).unwrap()).unwrap()
    }
}

/// Master keys with these ids; what each is follows from its id.
pub fn keys(ids: &[&str]) -> Keyring {
    let key = |id: &&str| {
        let text: String =
            ring::digest::digest(&ring::digest::SHA256, id.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
        MasterKey::parse(id, &text).unwrap()
    };
    Keyring::new(ids.iter().map(key).collect()).unwrap()
}

pub fn prompts() -> PromptBook {
    let mut book = PromptBook::default();
    book.insert("main/es/low", Prompt::from_samples(&tone::sine(8_000, 440.0, 8_000.0, 8_000)));
    book.insert("music/hold", Prompt::from_samples(&tone::sine(8_000, 1_200.0, 8_000.0, 8_000)));
    book
}

pub fn sidecar() -> Sidecar {
    Sidecar {
        call: RECORDING.call(),
        recording: RECORDING,
        tenant: "acme".into(),
        queue: Some("acme/support".into()),
        agent: "acme/ana".into(),
        lang: Some(base::Lang::ES),
        start: "2026-10-01T12:00:00Z".into(),
        sip_call_id_caller: "a@b".into(),
        sip_call_id_agent: "c@d".into(),
    }
}

/// A port that was free with the one above it a moment ago.
pub fn free_ports() -> u16 {
    loop {
        let one = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = one.local_addr().unwrap().port();
        if port < 65_535 && UdpSocket::bind((Ipv4Addr::LOCALHOST, port + 1)).is_ok() {
            return port;
        }
    }
}

/// A packet as a peer got it.
pub struct Got {
    pub at: Instant,
    pub header: Header,
    pub payload: Vec<u8>,
}

pub struct Peer {
    pub leg: LegId,
    pub socket: UdpSocket,
    pub plane: SocketAddr,
    pub sequence: u16,
}

impl Peer {
    pub fn new(leg: LegId, port: u16) -> Peer {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Peer { leg, socket, plane: (Ipv4Addr::LOCALHOST, port).into(), sequence: 0 }
    }

    pub fn session(&self) -> Session {
        let remote = self.socket.local_addr().unwrap();
        Session { dtmf: Some(101), ..Session::plain(remote, Codec::Pcma, 8) }
    }

    /// Says one frame of a tone.
    pub fn say(&mut self, hertz: f64) {
        let start = usize::from(self.sequence) * FRAME;
        let samples = tone::part(8_000, hertz, 8_000.0, start..start + FRAME);
        let body: Vec<u8> = samples.iter().map(|s| Law::Pcma.encode(*s)).collect();
        self.packet(8, self.sequence == 0, u32::from(self.sequence) * 160, &body);
    }

    pub fn packet(&mut self, payload: u8, marker: bool, timestamp: u32, body: &[u8]) {
        let line = Line { marker, sequence: self.sequence, timestamp, ssrc: self.leg.n.into() };
        self.sequence += 1;
        self.socket.send_to(Packet::new(payload, line, body).as_bytes(), self.plane).unwrap();
    }

    /// The next packet; waits for it.
    pub fn get(&self) -> Got {
        let mut buffer = [0; 2_048];
        let len = self.socket.recv(&mut buffer).expect("a packet that was waited for");
        let header = Header::read(&buffer[..len]).unwrap();
        Got { at: Instant::now(), header, payload: buffer[header.body()].to_vec() }
    }

    /// The packets that are here.
    pub fn drain(&self) -> Vec<Got> {
        self.socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 2_048];
        let mut next = || {
            let len = self.socket.recv(&mut buffer).ok()?;
            let header = Header::read(&buffer[..len]).unwrap();
            Some(Got { at: Instant::now(), header, payload: buffer[header.body()].to_vec() })
        };
        let got = std::iter::from_fn(&mut next).collect();
        self.socket.set_nonblocking(false).unwrap();
        got
    }

    pub fn get_some(&self, count: usize) -> Vec<Got> {
        (0..count).map(|_| self.get()).collect()
    }
}

/// Both say their tone for `count` frames, 20 ms apart.
pub fn talk(caller: (&mut Peer, f64), agent: (&mut Peer, f64), count: usize) {
    let beat = channel::tick(Duration::from_millis(20));
    for _ in 0..count {
        beat.recv().unwrap();
        caller.0.say(caller.1);
        agent.0.say(agent.1);
    }
}

/// The tones of caller, agent and supervisor. A frame holds whole waves of each, so they are told apart in one.
pub const TONES: [(&str, f64); 3] = [("caller", 400.0), ("agent", 700.0), ("supervisor", 1_100.0)];

/// Each of the three says its tone for `count` frames, 20 ms apart.
pub fn talk_all(peers: &mut [Peer; 3], count: usize) {
    let beat = channel::tick(Duration::from_millis(20));
    for _ in 0..count {
        beat.recv().unwrap();
        peers.iter_mut().zip(TONES).for_each(|(peer, (_, hertz))| peer.say(hertz));
    }
}

/// Who speaks in these samples: in most frames, or in hardly any.
pub fn who(samples: &[i16]) -> Vec<&'static str> {
    let frames = samples.chunks_exact(FRAME);
    let share = |hertz| {
        let loud = frames.clone().filter(|frame| tone::amplitude(frame, 8_000, hertz) > 4_000.0).count();
        loud as f64 / frames.len().max(1) as f64
    };
    let speaks = |(name, hertz)| match share(hertz) {
        0.6.. => Some(name),
        ..0.1 => None,
        between => panic!("{name} is in {between} of the frames"),
    };
    TONES.into_iter().filter_map(speaks).collect()
}

pub fn audio(got: &[Got]) -> Vec<i16> {
    got.iter().flat_map(|g| &g.payload).map(|b| Law::Pcma.decoder()[usize::from(*b)]).collect()
}

/// Left and right of a WAV file, checked for its format.
pub fn channels(path: &std::path::Path) -> (Vec<i16>, Vec<i16>) {
    samples(path, 2).chunks(2).map(|f| (f[0], f[1])).unzip()
}

/// Left and right of what is heard.
pub fn heard(sound: Sound) -> (Vec<i16>, Vec<i16>) {
    read(hound::WavReader::new(sound).unwrap(), 2).chunks(2).map(|f| (f[0], f[1])).unzip()
}

/// All samples of a WAV file with so many channels.
pub fn samples(path: &std::path::Path, channels: u16) -> Vec<i16> {
    read(hound::WavReader::open(path).unwrap(), channels)
}

fn read(mut reader: hound::WavReader<impl std::io::Read>, channels: u16) -> Vec<i16> {
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (channels, 8_000, 16));
    reader.samples().collect::<Result<_, _>>().unwrap()
}

/// Where a channel first speaks, in frames.
pub fn onset(samples: &[i16]) -> usize {
    samples.iter().position(|s| s.abs() > 500).expect("a channel that speaks")
}
