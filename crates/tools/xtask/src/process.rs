//! Running other programs: shown while they run, or read, and never for ever.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Runs it with its output shown; true if it succeeded.
pub fn succeeds(command: &mut Command) -> bool {
    println!("$ {}", shown(command));
    match command.status() {
        Ok(status) => status.success(),
        Err(why) => {
            println!("{}: {why}", shown(command));
            false
        }
    }
}

/// Its standard output, if it succeeded; errors are shown as they come.
pub fn output(command: &mut Command) -> Result<String, String> {
    let out = command.stderr(Stdio::inherit()).output().map_err(|e| format!("{}: {e}", shown(command)))?;
    if !out.status.success() {
        return Err(format!("{} ended with {}", shown(command), out.status));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// How a watched program ended.
pub enum End {
    Exit(bool),
    Signal,
    TimedOut,
}

/// Runs it until it ends or `limit` is over, showing and collecting both of its streams.
pub fn watched(command: &mut Command, limit: Duration) -> Result<(End, String), String> {
    let start = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
    let (to, lines) = mpsc::channel();
    echo(child.stdout.take(), to.clone());
    echo(child.stderr.take(), to);
    let mut text = String::new();
    loop {
        let left = limit.saturating_sub(start.elapsed());
        match lines.recv_timeout(left) {
            Ok(line) => {
                println!("{line}");
                text.push_str(&line);
                text.push('\n');
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                stop(&mut child);
                return Ok((End::TimedOut, text));
            }
        }
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((status.code().map_or(End::Signal, |code| End::Exit(code == 0)), text))
}

/// Ends a child that this program started. That it has already ended is no error.
pub fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Asks a child to end as Ctrl-C does, and waits until it has.
pub fn interrupt(child: &mut Child) {
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    if asked.is_ok_and(|s| s.success()) { drop(child.wait()) } else { stop(child) }
}

fn echo(stream: Option<impl Read + Send + 'static>, to: mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_string();
            if to.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let mut sleeper = Command::new("sleep");
        let (end, _) = watched(sleeper.arg("60"), Duration::from_millis(50)).unwrap();
        assert!(matches!(end, End::TimedOut));
    }

    #[test]
    fn both_streams_are_collected() {
        let mut sh = Command::new("sh");
        let (end, text) = watched(sh.args(["-c", "echo out; echo err >&2; exit 3"]), Duration::from_secs(10)).unwrap();
        assert!(matches!(end, End::Exit(false)));
        assert!(text.contains("out\n") && text.contains("err\n"));
    }
}
