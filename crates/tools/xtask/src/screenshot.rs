//! `cargo xtask screenshot`: a picture of the wallboard while the demo's calls are on it.

use crate::process;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub fn run(file: &Path, after: u64) -> Result<bool, String> {
    let root = crate::root();
    let file = root.join(file);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    }
    let seconds = format!("{}s", after + 20);
    let mut demo = Command::new(crate::suite::cargo())
        .args(["run", "--release", "--quiet", "--", "demo", "--duration", &seconds])
        .current_dir(&root)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let pictured = picture(&mut demo, &file, Duration::from_secs(after));
    process::interrupt(&mut demo);
    pictured.map(|()| true)
}

fn picture(demo: &mut Child, file: &Path, after: Duration) -> Result<(), String> {
    let said = demo.stderr.take().ok_or("the demo has no output")?;
    let mut lines = BufReader::new(said).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| web_address(&line));
    let address = address.ok_or("the demo ended before it printed the wallboard's address")?;
    let start = Instant::now();
    // The demo goes on printing; an unread pipe would stop it.
    while start.elapsed() < after && lines.next().is_some() {}
    std::thread::sleep(after.saturating_sub(start.elapsed()));
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1340"]);
    // The page gets its figures over a stream that never ends, so a time budget ends the wait.
    chromium.args(["--timeout=5000", &format!("--screenshot={}", file.display()), &address]);
    let (_, said) = process::watched(&mut chromium, Duration::from_secs(60))?;
    if !file.is_file() {
        return Err(format!("chromium saved no picture: {said}"));
    }
    println!("{}", file.display());
    Ok(())
}

/// The first `http://…` of a line.
fn web_address(line: &str) -> Option<String> {
    let start = line.find("http://")?;
    let ends = |c: char| c.is_whitespace() || "\"',)<>".contains(c);
    let address = line.get(start..)?.split(ends).next()?;
    Some(address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_plain_text_and_from_json() {
        assert_eq!(web_address("wallboard  http://127.0.0.1:8080/ (live)").as_deref(), Some("http://127.0.0.1:8080/"));
        assert_eq!(web_address(r#"{"web":"http://127.0.0.1:9"}"#).as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(web_address("starting"), None);
    }
}
