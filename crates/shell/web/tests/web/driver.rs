//! A browser, headless, told what to do by WebDriver (W3C) over plain HTTP.

use crate::http;
use hyper::Method;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// One window. Dropped, it is closed, its processes ended and its profile removed.
pub struct Browser {
    driver: SocketAddr,
    session: String,
    _process: Child,
    _profile: TempDir,
}

/// Width, height and pixels per point of the screen.
pub const TELEVISION: (u32, u32, u32) = (1920, 1080, 1);
pub const PHONE: (u32, u32, u32) = (390, 844, 2);

impl Browser {
    /// The peer has to be there: a test that is skipped tests nothing.
    pub async fn open((width, height, ratio): (u32, u32, u32), language: &str) -> Browser {
        let missing = "chromedriver does not start: apt-get install -y chromium chromium-driver";
        let mut process = Command::new("chromedriver");
        process.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = process.spawn().expect(missing);
        let driver = SocketAddr::from(([127, 0, 0, 1], port(&mut process).await.expect(missing)));
        let profile = TempDir::new().unwrap();
        let mut args: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--force-prefers-reduced-motion",
        ]
        .map(String::from)
        .to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        args.push(format!("--window-size={width},{height}"));
        let screen = json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": ratio, "touch": false } });
        let options = json!({
            "args": args, "binary": "/usr/bin/chromium", "mobileEmulation": screen,
            "prefs": { "intl.accept_languages": language },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let answer =
            http::ask(driver, Method::POST, "/session", &[("content-type", "application/json")], &wanted.to_string()).await;
        let session = answer.json()["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("chromium does not start: {}", answer.text()))
            .to_string();
        let browser = Browser { driver, session, _process: process, _profile: profile };
        browser.command("/timeouts", json!({ "script": 15_000 })).await;
        browser
    }

    pub async fn go(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// The value of an expression in the page.
    pub async fn eval(&self, expression: &str) -> Value {
        self.command("/execute/sync", json!({ "script": format!("return ({expression});"), "args": [] })).await
    }

    /// Comes back when the expression has become true; the browser itself watches.
    pub async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0]; const look = () => {{ let is = false; try {{ is = ({expression}); }} catch {{}} \
             is ? done(true) : setTimeout(look, 20); }}; look();"
        );
        let answer = self.ask("/execute/async", json!({ "script": script, "args": [] })).await;
        if answer["value"] != json!(true) {
            let page = self.eval("document.body.innerText").await;
            panic!("never became true: {expression}\n{answer}\nThe page says:\n{}", page.as_str().unwrap_or_default());
        }
    }

    /// Keys typed wherever the focus is.
    pub async fn keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|c| [json!({ "type": "keyDown", "value": c }), json!({ "type": "keyUp", "value": c })])
            .collect();
        self.command("/actions", json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] })).await;
    }

    /// A picture of the window, kept beside the test's other output for people to look at.
    pub async fn picture(&self, name: &str) {
        let path = format!("/session/{}/screenshot", self.session);
        let answer = http::get(self.driver, &path).await.json();
        let base64 = answer["value"].as_str().expect("a picture").to_string();
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(file, unbase64(&base64)).unwrap();
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        let answer = self.ask(path, body).await;
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].clone()
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        http::ask(self.driver, Method::POST, &path, &[("content-type", "application/json")], &body.to_string()).await.json()
    }
}

impl Drop for Browser {
    /// Chromedriver leaves its chromium behind when it is killed, so that the session is ended first, also by a test
    /// that fails.
    fn drop(&mut self) {
        if let Ok(mut driver) = TcpStream::connect(self.driver) {
            let request =
                format!("DELETE /session/{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.session, self.driver);
            let _ = driver.write_all(request.as_bytes());
            let _ = driver.set_read_timeout(Some(std::time::Duration::from_secs(5)));
            let _ = driver.read(&mut [0; 1024]);
        }
    }
}

/// "ChromeDriver was started successfully on port 40123."
async fn port(process: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(process.stdout.take()?).lines();
    while let Some(line) = lines.next_line().await.ok()? {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            return port.trim_end_matches('.').parse().ok();
        }
    }
    None
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |b: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|c| *c == b);
    let bits: Vec<usize> = text.bytes().filter_map(value).collect();
    bits.chunks(4)
        .flat_map(|group| {
            let joined = group.iter().enumerate().fold(0, |sum, (i, six)| sum | six << (18 - 6 * i));
            [joined >> 16, joined >> 8, joined].map(|byte| byte as u8).into_iter().take(group.len() - 1)
        })
        .collect()
}
