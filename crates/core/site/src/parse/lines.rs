//! Lines to the world: trunks, the numbers callers dial, the numbers that always go out.

use super::codecs;
use crate::model::*;
use crate::reader::Node;
use crate::scalar::{Network, Read};
use std::net::IpAddr;
use toml::de::DeValue;

/// A number as it is dialled.
pub struct Dialled(pub String);

impl Read for Dialled {
    const EXPECTED: &'static str = "a number as it is dialled, such as \"+525550001000\", at most 32 characters";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let number = String::from_value(value)?;
        let fits = number.len() <= 32 && number.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-._".contains(c));
        fits.then_some(Dialled(number))
    }
}

pub fn trunk(n: &mut Node) -> Option<Trunk> {
    let name: Option<String> = n.need("name");
    let networks = n.or::<Vec<Network>>("networks", Vec::new());
    let port = n.opt("port");
    let credential = n.table("credential", credential);
    let address = n.opt("address");
    let login = n.table("login", login);
    if !n.has("networks") && !n.has("credential") && !n.has("address") {
        let expected = "expected `networks` or `credential` for calls that come, `address` for calls that leave, or both";
        n.report(n.at("name", expected));
    }
    if n.has("login") && !n.has("address") {
        n.report(n.at("login", "expected `address` beside it: who would ask for this login?"));
    }
    let advertise: Option<IpAddr> = n.opt("advertise");
    if advertise.is_some_and(|address| address.is_unspecified()) {
        n.report(n.at("advertise", "expected the one address at which this trunk reaches us"));
    }
    if n.has("advertise") && !n.has("networks") && !n.has("address") {
        n.report(n.at("advertise", "expected `networks` or `address` beside it: to whom is it shown?"));
    }
    let networks = networks.into_iter().map(|Network(address, length)| (address, length)).collect();
    let (country, channels, escalation) = (n.opt("country"), n.opt("channels"), n.or("escalation", 0));
    if channels.is_none() && n.has("escalation") {
        n.report(n.at("escalation", "expected `channels` beside it: of how many are these kept?"));
    }
    Some(Trunk {
        name: name?,
        networks,
        port,
        credential,
        address,
        login,
        advertise,
        country,
        channels,
        escalation,
        codecs: codecs(n),
        shares_port: n.or("shares_port", false),
    })
}

pub fn credential(n: &mut Node) -> Option<Credential> {
    let (user, password) = (n.need("user"), n.need("password"));
    let algorithms = n.or("algorithms", vec![Algorithm::Sha256, Algorithm::Md5]);
    if algorithms.is_empty() {
        n.report(n.at("algorithms", "expected at least one of \"sha-256\" and \"md5\""));
    }
    Some(Credential { user: user?, password: password?, algorithms })
}

pub fn login(n: &mut Node) -> Option<Login> {
    let (realm, user, password) = (n.need("realm"), n.need("user"), n.need("password"));
    Some(Login { realm: realm?, user: user?, password: password? })
}

pub fn number(n: &mut Node) -> Option<Number> {
    let number: Option<Dialled> = n.need("number");
    let (tenant, flow, lang) = (n.need("tenant"), n.need("flow"), n.opt("lang"));
    let unanswered = n.or("unanswered", false);
    Some(Number { number: number?.0, tenant: tenant?, flow: flow?, lang, unanswered, whisper: whisper(n) })
}

/// A prompt's name, which is also a file's.
pub fn whisper(n: &mut Node) -> Option<String> {
    let name: String = n.opt("whisper")?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !plain {
        n.report(n.at("whisper", "expected the name of a prompt: letters, digits, `-` and `_`"));
    }
    plain.then_some(name)
}

pub fn emergency(n: &mut Node) -> Option<Emergency> {
    let numbers: Vec<String> = n.each::<Dialled>("numbers").into_iter().map(|number| number.0).collect();
    if !n.has("numbers") {
        n.report(n.at("", "`numbers` is missing: expected a list such as [\"911\"]"));
    }
    let (trunk, reserve) = (n.need("trunk"), n.or("reserve", 1));
    Some(Emergency { numbers, trunk: trunk?, reserve })
}
