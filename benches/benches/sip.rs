//! An INVITE with SDP, read and written, by our message layer and by rsip: `cargo bench -p benches --bench sip`.
//!
//! "read" goes as far as a server needs before it answers: method, target, Via, From, To, Call-ID, CSeq.
//! "parse" is what each library does before anybody asks for a header field: ours indexes, rsip copies.

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::HeadersExt;
use sip::{Builder, HeaderId, Message, Method};
use std::hint::black_box;

const SDP: &str = "v=0\r\no=- 3871 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
    m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

fn invite() -> Bytes {
    Builder::request(Method::Invite, "sip:+525512345678@centre.test;user=phone")
        .header(HeaderId::Via, "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK7f3a9c2e51d04b86;rport")
        .header(HeaderId::Via, "SIP/2.0/UDP 10.1.4.9:5080;branch=z9hG4bK-524287-1---a1b2c3d4;received=198.51.100.12")
        .header(HeaderId::RecordRoute, "<sip:192.0.2.7;lr>")
        .header(HeaderId::MaxForwards, "68")
        .header(HeaderId::From, "\"Ana Paz\" <sip:+34911234567@carrier.test>;tag=9fxced76sl")
        .header(HeaderId::To, "<sip:+525512345678@centre.test>")
        .header(HeaderId::CallId, "3848276298220188511@carrier.test")
        .header(HeaderId::CSeq, "1 INVITE")
        .header(HeaderId::Contact, "<sip:+34911234567@192.0.2.7:5060>")
        .header(HeaderId::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK")
        .header(HeaderId::Supported, "100rel, timer")
        .header(HeaderId::UserAgent, "Carrier SBC 7.2")
        .body("application/sdp", SDP.as_bytes())
}

fn read_ours(bytes: &Bytes) -> usize {
    let message = Message::parse(bytes.clone()).expect("our own INVITE");
    let user = message.uri().expect("target").user().map_or(0, |user| user.len());
    let branch = message.via().expect("Via").branch.map_or(0, |branch| branch.len());
    let tags =
        message.from().expect("From").tag.map_or(0, |tag| tag.len()) + message.to().expect("To").tag.map_or(0, |tag| tag.len());
    let (sequence, _) = message.cseq().expect("CSeq");
    user + branch + tags + message.call_id().expect("Call-ID").len() + sequence as usize + message.body().len()
}

fn read_rsip(bytes: &Bytes) -> usize {
    let message = rsip::Request::try_from(bytes.as_ref()).expect("a plain INVITE");
    let user = message.uri.user().map_or(0, str::len);
    let via = message.via_header().and_then(|via| via.typed()).expect("Via");
    let branch = via.branch().map_or(0, |branch| branch.value().len());
    let from = message.from_header().and_then(|from| from.typed()).expect("From");
    let to = message.to_header().and_then(|to| to.typed()).expect("To");
    let tags = from.tag().map_or(0, |tag| tag.value().len()) + to.tag().map_or(0, |tag| tag.value().len());
    let sequence = message.cseq_header().and_then(|cseq| cseq.typed()).expect("CSeq").seq;
    user + branch + tags + message.call_id_header().expect("Call-ID").value().len() + sequence as usize + message.body.len()
}

fn reading(criterion: &mut Criterion) {
    let bytes = invite();
    assert_eq!(read_ours(&bytes), read_rsip(&bytes), "both read the same, or the comparison is worth nothing");
    let mut group = criterion.benchmark_group("sip/invite");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("parse/ours", |bench| bench.iter(|| Message::parse(black_box(bytes.clone()))));
    group.bench_function("parse/rsip", |bench| bench.iter(|| rsip::Request::try_from(black_box(bytes.as_ref()))));
    group.bench_function("read/ours", |bench| bench.iter(|| read_ours(black_box(&bytes))));
    group.bench_function("read/rsip", |bench| bench.iter(|| read_rsip(black_box(&bytes))));
    let message = Message::parse(bytes.clone()).expect("our own INVITE");
    group.bench_function("check/ours", |bench| bench.iter(|| black_box(&message).check_request()));
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let bytes = invite();
    let theirs = rsip::Request::try_from(bytes.as_ref()).expect("a plain INVITE");
    let mut group = criterion.benchmark_group("sip/invite");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("write/ours", |bench| bench.iter(|| black_box(invite())));
    // rsip writes from a finished value; making that value is not in its figure, in ours it is.
    group.bench_function("write/rsip", |bench| bench.iter(|| black_box(&theirs).to_string()));
    let message = Message::parse(bytes).expect("our own INVITE");
    let source = "192.0.2.7:5060".parse().expect("an address");
    let answer = || sip::response_to(black_box(&message), 180, "Ringing", Some("1f0c"), source).finish();
    group.bench_function("response/ours", |bench| bench.iter(answer));
    group.finish();
}

fn describing(criterion: &mut Criterion) {
    let ours = sip::sdp::Local::new("192.0.2.1".parse().expect("an address"), 4000, 7);
    let mut group = criterion.benchmark_group("sip/sdp");
    group.throughput(Throughput::Bytes(SDP.len() as u64));
    group.bench_function("answer/ours", |bench| bench.iter(|| sip::sdp::answer(black_box(SDP.as_bytes()), &ours)));
    group.finish();
}

criterion_group!(benches, reading, writing, describing);
criterion_main!(benches);
