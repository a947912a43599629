//! Recordings: their metadata, and their sound by id alone (security.md, row 44: never by a path).

use super::shelf::{Tried, tried};
use super::who::Who;
use super::{Answer, Asked, archive, id, limit};
use crate::error::ApiError;
use crate::{App, Audio, Fault, Named, RecordingRow, RecordingState, RecordingsAsk};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base::{Pii, RecordingId, Wall};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use std::io::{self, SeekFrom};
use std::ops::RangeInclusive;
use std::sync::Arc;
use vault::access::Act;

pub const LIST: &str = "/api/v1/recordings";
/// Read and sent at once.
const CHUNK: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    call: Option<String>,
    caller: Option<String>,
    tenant: Option<String>,
    queue: Option<String>,
    agent: Option<String>,
    lang: Option<String>,
    kept: Option<RecordingState>,
    from: Option<String>,
    to: Option<String>,
    shortest_ms: Option<u64>,
    longest_ms: Option<u64>,
    after: Option<String>,
    limit: Option<usize>,
}

/// In which an empty answer says what of the question nobody knows.
const HINT: HeaderName = HeaderName::from_static("x-centralita-hint");

pub async fn list(State(app): State<Arc<App>>, Asked(asked): Asked<List>) -> Answer<(HeaderMap, Json<Vec<RecordingRow>>)> {
    let (from, to) = between(&app, asked.from.as_deref(), asked.to.as_deref())?;
    if let (Some(shortest), Some(longest)) = (asked.shortest_ms, asked.longest_ms)
        && shortest > longest
    {
        let seconds = |ms: u64| ms as f64 / 1_000.0;
        let error = format!("`shortest_ms` ({} s) is more than `longest_ms` ({} s)", seconds(shortest), seconds(longest));
        return Err(ApiError::bad(error, "lengths the other way round"));
    }
    let ask = RecordingsAsk {
        call: asked.call.as_deref().map(id).transpose()?,
        caller: asked.caller.as_deref().map(number).transpose()?,
        tenant: asked.tenant.as_deref().map(id).transpose()?,
        queue: asked.queue.as_deref().map(id).transpose()?,
        agent: asked.agent.as_deref().map(id).transpose()?,
        lang: asked.lang.as_deref().map(id).transpose()?,
        state: asked.kept,
        from,
        to,
        shortest_ms: asked.shortest_ms,
        longest_ms: asked.longest_ms,
        after: asked.after.as_deref().map(id).transpose()?,
        limit: limit(asked.limit)?,
    };
    let named = Named { tenant: ask.tenant.clone(), queue: ask.queue.clone(), agent: ask.agent.clone(), lang: ask.lang };
    let rows = archive(&app, move |a| a.recordings(&ask)).await?;
    let strangers = if rows.is_empty() { archive(&app, move |a| a.strangers(&named)).await? } else { Vec::new() };
    let hint = HeaderValue::from_bytes(strangers.join(", ").as_bytes()).ok().filter(|hint| !hint.is_empty());
    Ok((hint.map(|hint| (HINT, hint)).into_iter().collect(), Json(rows)))
}

/// A span of time in which something may begin; turned round it has nothing in it.
pub fn between(app: &App, from: Option<&str>, to: Option<&str>) -> Answer<(Option<Wall>, Option<Wall>)> {
    let read = |text: Option<&str>| text.map(|text| moment(app, text)).transpose();
    let (begins, ends) = (read(from)?, read(to)?);
    if let (Some(begins), Some(ends)) = (begins, ends)
        && begins >= ends
    {
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        let error = format!("`from` ({from}) is not before `to` ({to}): nothing begins between them");
        return Err(ApiError::bad(error, "times the other way round; `to` itself is left out"));
    }
    Ok((begins, ends))
}

/// A time, or the beginning of a day where the node is: the day that the figures of today are of.
pub fn moment(app: &App, text: &str) -> Answer<Wall> {
    match (app.doors.day)(text) {
        Some(begins) => Ok(begins),
        None => id(text),
    }
}

/// A caller's number. What is wrong with it is said without it.
pub fn number(text: &str) -> Answer<Pii<Arc<str>>> {
    let digits = text.trim_start_matches(['+', ' ']);
    let is_number = (2..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        Ok(Pii::new(digits.into()))
    } else {
        Err(ApiError::bad("`caller` is no number", "2 to 32 digits, with or without a plus"))
    }
}

pub async fn show(State(app): State<Arc<App>>, Path(recording): Path<String>) -> Answer<Json<RecordingRow>> {
    let recording: RecordingId = id(&recording)?;
    let row = archive(&app, move |a| a.recording(recording)).await?;
    row.map(Json).ok_or_else(|| ApiError::unknown(format!("recording {recording}"), LIST))
}

/// Why it is asked for, as the log of accesses keeps it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// `play`, unless it says `export`.
    #[serde(rename = "as")]
    act: Option<String>,
    #[serde(default)]
    why: String,
}

impl Heard {
    fn act(&self) -> Answer<Act> {
        match self.act.as_deref() {
            None | Some("play") => Ok(Act::Play),
            Some("export") => Ok(Act::Export),
            Some(other) => Err(ApiError::bad(format!("as={other}"), "as=play or as=export")),
        }
    }
}

/// The WAV, whole or the one range asked for (RFC 9110, section 14), so that a player can seek.
pub async fn audio(
    State(app): State<Arc<App>>,
    Path(recording): Path<String>,
    Asked(heard): Asked<Heard>,
    Who(who): Who,
    headers: HeaderMap,
) -> Answer<Response> {
    let recording: RecordingId = id(&recording)?;
    let act = heard.act()?;
    let asked = headers.get(RANGE).and_then(|r| r.to_str().ok()).map(str::to_string);
    let archive = app.doors.archive.clone();
    let opened = tried(&app, Tried { who, act, recording: recording.to_string(), why: heard.why }, move |s, tried| {
        let Some(audio) = archive.audio(recording)? else {
            let silent = || Fault::Silent { error: format!("there is no sound of recording {recording}") };
            return if archive.recording(recording)?.is_some() { Err(silent()) } else { Ok(None) };
        };
        let (audio, length) = measured(audio)?;
        let range = asked.map_or(Range::Whole, |text| range(&text, length));
        // Written down before the first byte leaves, if any does.
        if range != Range::Outside {
            tried.note(s)?;
        }
        Ok(Some((audio, length, range)))
    });
    let (audio, length, range) = opened.await?.ok_or_else(|| ApiError::unknown(format!("recording {recording}"), LIST))?;
    let (status, range) = match range {
        Range::Whole => (StatusCode::OK, 0..=length.saturating_sub(1)),
        Range::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Range::Outside => {
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, format!("bytes */{length}"))]).into_response());
        }
    };
    let count = if length == 0 { 0 } else { range.end() - range.start() + 1 };
    let mut response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "audio/wav")
        .header(ACCEPT_RANGES, "bytes")
        .header(CONTENT_LENGTH, count)
        .header(CONTENT_DISPOSITION, format!("inline; filename=\"{recording}.wav\""));
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(CONTENT_RANGE, format!("bytes {}-{}/{length}", range.start(), range.end()));
    }
    let body = Body::from_stream(chunks(audio, *range.start(), count));
    Ok(response.body(body).expect("every header is made of ids and numbers"))
}

fn measured(mut audio: Box<dyn Audio>) -> Result<(Box<dyn Audio>, u64), String> {
    let length = audio.seek(SeekFrom::End(0)).map_err(|e| e.to_string())?;
    Ok((audio, length))
}

/// Exactly `count` bytes, or an error that cuts the connection: a file that shrank is never padded.
fn chunks(audio: Box<dyn Audio>, from: u64, count: u64) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((audio, from, count), |(mut audio, from, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; size];
            audio.seek(SeekFrom::Start(from))?;
            audio.read_exact(&mut chunk).map(|()| (audio, chunk))
        });
        let (audio, chunk) = read.await.map_err(io::Error::other)??;
        let size = chunk.len() as u64;
        Ok(Some((Bytes::from(chunk), (audio, from + size, left - size))))
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(RangeInclusive<u64>),
    Outside,
}

/// One range of bytes; anything else is answered by the whole, as RFC 9110, section 14.2 allows.
fn range(text: &str, length: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|r| r.split_once('-')) else { return Range::Whole };
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..=last.min(length.saturating_sub(1)),
        (Ok(first), Err(_)) if last.is_empty() => first..=length.saturating_sub(1),
        (Err(_), Ok(0)) if first.is_empty() => return Range::Outside,
        (Err(_), Ok(n)) if first.is_empty() => length.saturating_sub(n)..=length.saturating_sub(1),
        _ => return Range::Whole,
    };
    if *part.start() >= length { Range::Outside } else { Range::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_rfc_says() {
        assert_eq!(range("bytes=0-9", 100), Range::Part(0..=9));
        assert_eq!(range("bytes=90-", 100), Range::Part(90..=99));
        assert_eq!(range("bytes=-10", 100), Range::Part(90..=99));
        assert_eq!(range("bytes=-1000", 100), Range::Part(0..=99));
        assert_eq!(range("bytes=50-5000", 100), Range::Part(50..=99));
        assert_eq!(range("bytes=100-", 100), Range::Outside);
        assert_eq!(range("bytes=-0", 100), Range::Outside);
        for odd in ["bytes=9-0", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=-", ""] {
            assert_eq!(range(odd, 100), Range::Whole, "{odd}");
        }
    }
}
