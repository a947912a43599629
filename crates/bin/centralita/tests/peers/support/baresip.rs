//! baresip without a sound card: a file is its microphone, another is what it heard, standard input its keys.

use super::Program;
use super::server::{PASSWORD, PATIENCE, Server};
use super::sound::{Recording, write_tone};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Baresip {
    program: Program,
    folder: PathBuf,
}

/// Who it is: on the trunk's address it is a caller, elsewhere an agent's phone.
pub struct Phone {
    pub user: &'static str,
    pub host: u8,
    pub codec: &'static str,
    /// The tone that its microphone hears.
    pub hz: u32,
    pub registers: bool,
}

impl Baresip {
    /// Starts it; a phone that registers has done so when this returns.
    pub fn start(server: &Server<'_>, phone: &Phone) -> Baresip {
        Baresip::with(server, phone, &[])
    }

    /// It also says which messages it sends and gets, for [`Baresip::replaces`].
    pub fn traced(server: &Server<'_>, phone: &Phone) -> Baresip {
        Baresip::with(server, phone, &["-s"])
    }

    fn with(server: &Server<'_>, phone: &Phone, options: &[&str]) -> Baresip {
        let folder = server.site.folder.path().join(format!("baresip-{}", phone.user));
        std::fs::create_dir_all(folder.join("heard")).unwrap();
        let (codec, shape) = in_account(phone.codec);
        write_tone(&folder.join("microphone.wav"), phone.hz, 60, shape);
        let address = server.site.at(phone.host, 5070);
        let (regint, answer) = if phone.registers { ("60", "auto") } else { ("0", "manual") };
        let words = [
            ("folder", folder.to_string_lossy().into_owned()),
            ("address", address.ip().to_string()),
            ("port", address.port().to_string()),
            ("modules", modules()),
            ("user", phone.user.to_string()),
            ("server", server.sip.to_string()),
            ("password", PASSWORD.to_string()),
            ("regint", regint.to_string()),
            ("answer", answer.to_string()),
            ("codec", codec.to_string()),
        ];
        for (name, text) in [("config", include_str!("../baresip/config")), ("accounts", include_str!("../baresip/accounts"))] {
            let text = words.iter().fold(text.to_string(), |t, (word, value)| t.replace(&format!("%{word}%"), value));
            std::fs::write(folder.join(name), text).unwrap();
        }
        let mut command = Command::new("baresip");
        let mut program = Program::start(command.args(options).arg("-f").arg(&folder).current_dir(&folder));
        program.line(PATIENCE, |l| l.contains("baresip is ready"));
        if phone.registers {
            program.line(PATIENCE, |l| l.contains("200 OK") && l.contains("binding"));
        }
        Baresip { program, folder }
    }

    /// Dials and returns when the other side has answered.
    pub fn dial(&mut self, uri: &str) {
        self.keys(&format!("d{uri}\n"));
        self.is_answered();
    }

    /// Waits until its next call is answered, by it or by the other side.
    pub fn is_answered(&mut self) {
        self.program.line(PATIENCE, |l| l.contains("Call established"));
    }

    /// Keys as on its own keyboard: digits go to the call, `b` hangs up.
    pub fn keys(&mut self, keys: &str) {
        let stdin = self.program.stdin();
        stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush()).expect("baresip reads its keys");
    }

    /// The dialog of its last call to this user as Replaces names it to the other side (RFC 3891 3), escaped for a URI.
    pub fn replaces(&self, user: &str) -> String {
        let messages = self.program.said.split(|line| line.starts_with("UDP "));
        let field = |message: &[String], name: &str| message.iter().find_map(|l| Some(l.strip_prefix(name)?.to_string()));
        let tag = |message: &[String], name: &str| Some(field(message, name)?.split_once(";tag=")?.1.to_string());
        let dialog = |message: &[String]| {
            field(message, "To: ")?.contains(&format!("sip:{user}@")).then_some(())?;
            let (theirs, ours) = (tag(message, "To: ")?, tag(message, "From: ")?);
            Some(format!("{}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}", field(message, "Call-ID: ")?))
        };
        messages.filter_map(dialog).next_back().expect("its call was answered")
    }

    /// Waits until the other side has ended the call.
    pub fn is_hung_up_on(&mut self) {
        self.program.line(PATIENCE, |l| l.contains("terminated") || l.contains("session closed"));
    }

    /// What it says of its streams when its call has ended, by RTCP and by its own count: `PL` is what was lost in what
    /// it received and, as the other side reported it, in what it sent.
    pub fn summary(&mut self) -> Vec<(String, Vec<f64>)> {
        let line = self.program.line(PATIENCE, |l| l.starts_with("EX=BareSip;"));
        let field = |text: &str| {
            let (name, values) = text.split_once('=')?;
            Some((name.to_string(), values.split(',').filter_map(|v| v.parse().ok()).collect()))
        };
        line.trim().split(';').filter_map(field).collect()
    }

    /// Waits for the end of its call, and reads what it heard.
    pub fn heard(&mut self) -> Recording {
        self.program.line(PATIENCE, |l| l.contains("terminated"));
        let files = std::fs::read_dir(self.folder.join("heard")).unwrap().map(|f| f.unwrap().path());
        let heard: Vec<PathBuf> = files.filter(|f| f.to_string_lossy().ends_with("-dec.wav")).collect();
        assert_eq!(heard.len(), 1, "one call, one file: {heard:?}");
        Recording::read(&heard[0])
    }
}

/// A codec as an account names it: with a name that it doesn't know baresip speaks whatever it can. And rate and channels of
/// the sound that it is made from, as which a file must be.
fn in_account(codec: &str) -> (&str, (u32, u16)) {
    match codec {
        "G722" => ("G722/16000/1", (16_000, 1)),
        "opus" => ("opus/48000/2", (48_000, 2)),
        narrow => (narrow, (8_000, 1)),
    }
}

/// Where the distribution keeps its modules.
fn modules() -> String {
    let places = ["/usr/lib/baresip/modules", "/usr/lib64/baresip/modules", "/usr/local/lib/baresip/modules"];
    places.into_iter().find(|p| Path::new(p).join("g711.so").is_file()).expect("baresip's modules are installed").into()
}
