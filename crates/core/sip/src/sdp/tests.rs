//! Offer and answer, as tables.

use super::*;

fn ours() -> Local {
    Local::new("192.0.2.1".parse().unwrap(), 4000, 7)
}

/// A session at 198.51.100.9 with these lines, `|` for a line end.
fn sdp(lines: &str) -> Vec<u8> {
    format!("v=0|o=x 1 1 IN IP4 198.51.100.9|s=-|c=IN IP4 198.51.100.9|t=0 0|{lines}|").replace('|', "\r\n").into_bytes()
}

fn m_lines(sdp: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(sdp).lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
}

#[test]
fn one_codec_of_the_offer_is_taken_with_its_number() {
    use AudioCodec::{Pcma, Pcmu};
    #[rustfmt::skip]
    let table = [
        // offer                                                                     codec  number  dtmf
        ("m=audio 6000 RTP/AVP 0",                                                   Pcmu,  0,      None),
        ("m=audio 6000 RTP/AVP 8 0",                                                 Pcma,  8,      None),
        ("m=audio 6000 RTP/AVP 0 8 101|a=rtpmap:101 telephone-event/8000",           Pcmu,  0,      Some(101)),
        ("m=audio 6000 RTP/AVP 18 9 8 96|a=rtpmap:96 TELEPHONE-EVENT/8000",          Pcma,  8,      Some(96)),
        ("m=audio 6000 RTP/AVP 97 98|a=rtpmap:97 opus/48000/2|a=rtpmap:98 pcma/8000", Pcma, 98,     None),
        ("m=audio 6000 RTP/AVPF 0|a=rtpmap:0 PCMU/8000/1",                           Pcmu,  0,      None),
        ("m=audio 6000 RTP/AVP 0 100|a=rtpmap:100 telephone-event/48000",            Pcmu,  0,      None),
        ("m=audio 6000 RTP/AVP 0 8|a=rtpmap:0 L16/8000",                             Pcma,  8,      None),
    ];
    for (offer, codec, payload, dtmf) in table {
        let (bytes, audio) = answer(&sdp(offer), &ours()).unwrap_or_else(|error| panic!("{offer}: {error}"));
        assert_eq!((audio.codec, audio.payload, audio.dtmf), (codec, payload, dtmf), "{offer}");
        assert_eq!(audio.remote, "198.51.100.9:6000".parse().unwrap(), "{offer}");
        let numbers = std::iter::once(payload).chain(dtmf).map(|number| format!(" {number}")).collect::<String>();
        let protocol = offer.split(' ').nth(2).unwrap();
        assert_eq!(m_lines(&bytes), [format!("m=audio 4000 {protocol}{numbers}")], "{offer}");
    }
}

#[test]
fn only_what_may_be_used_is_taken_and_offered_in_that_order() {
    use AudioCodec::{G722, Pcma, Pcmu};
    let wide = Local { codecs: vec![G722, Pcma, Pcmu], ..ours() };
    #[rustfmt::skip]
    let table = [
        // their offer                                              usual          with G.722
        ("m=audio 6000 RTP/AVP 9 0",                                Some((Pcmu, 0)), Some((G722, 9))),
        ("m=audio 6000 RTP/AVP 0 9",                                Some((Pcmu, 0)), Some((Pcmu, 0))),
        ("m=audio 6000 RTP/AVP 9|a=rtpmap:9 G722/8000",             None,            Some((G722, 9))),
        ("m=audio 6000 RTP/AVP 97|a=rtpmap:97 G722/8000/1",         None,            Some((G722, 97))),
        ("m=audio 6000 RTP/AVP 97|a=rtpmap:97 G722/16000",          None,            None),
    ];
    for (offer, usual, with_g722) in table {
        let taken = |ours: &Local| answer(&sdp(offer), ours).ok().map(|(_, audio)| (audio.codec, audio.payload));
        assert_eq!((taken(&ours()), taken(&wide)), (usual, with_g722), "{offer}");
    }
    let offered = offer(&wide);
    assert_eq!(m_lines(&offered), ["m=audio 4000 RTP/AVP 9 8 0 101"]);
    assert!(String::from_utf8_lossy(&offered).contains("\r\na=rtpmap:9 G722/8000\r\n"));
    let mut preferring = wide;
    preferring.prefer(Pcmu);
    assert_eq!(preferring.codecs, [Pcmu, G722, Pcma]);
    preferring.codecs.pop();
    preferring.prefer(Pcma);
    assert_eq!(preferring.codecs, [Pcmu, G722], "what may not be used is not preferred");
}

#[test]
fn opus_is_taken_with_its_clock_its_number_and_events_of_its_clock_or_of_8_khz() {
    use AudioCodec::{Opus, Pcma};
    let ours = Local { codecs: vec![Opus, Pcma], ..ours() };
    const OPUS: &str = "a=rtpmap:111 opus/48000/2";
    const EVENTS: &str = "a=rtpmap:110 telephone-event/48000|a=rtpmap:126 telephone-event/8000";
    #[rustfmt::skip]
    let table = [
        // their offer                                                      codec, number       events, clock
        (format!("m=audio 6000 RTP/AVP 111 8|{OPUS}"),                      (Opus, 111),        (None, 48_000)),
        (format!("m=audio 6000 RTP/AVP 8 111|{OPUS}"),                      (Pcma, 8),          (None, 8_000)),
        (format!("m=audio 6000 RTP/AVP 111 110 126|{OPUS}|{EVENTS}"),       (Opus, 111),        (Some(110), 48_000)),
        (format!("m=audio 6000 RTP/AVP 8 110 126|{EVENTS}"),                (Pcma, 8),          (Some(126), 8_000)),
        (format!("m=audio 6000 RTP/AVP 111 126|{OPUS}|{EVENTS}"),           (Opus, 111),        (Some(126), 8_000)),
        ("m=audio 6000 RTP/AVP 98 8|a=rtpmap:98 opus/48000".to_string(),    (Pcma, 8),          (None, 8_000)),
    ];
    for (theirs, codec, events) in table {
        let (bytes, audio) = answer(&sdp(&theirs), &ours).unwrap();
        assert_eq!(((audio.codec, audio.payload), (audio.dtmf, audio.dtmf_clock)), (codec, events), "{theirs}");
        let said = String::from_utf8_lossy(&bytes).contains("\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 ");
        assert_eq!(said, codec.0 == Opus, "{theirs}");
    }
    let offered = offer(&ours);
    assert_eq!(m_lines(&offered), ["m=audio 4000 RTP/AVP 96 8 101 102"]);
    let text = String::from_utf8_lossy(&offered);
    for line in ["rtpmap:96 opus/48000/2", "rtpmap:101 telephone-event/8000", "rtpmap:102 telephone-event/48000"] {
        assert!(text.contains(&format!("\r\na={line}\r\n")), "{text}");
    }
    assert!(text.contains(";stereo=0;useinbandfec=1\r\n"), "{text}");
    let back = read_answer(
        &sdp(&format!("m=audio 6000 RTP/AVP 96 102|{}|a=rtpmap:102 telephone-event/48000", OPUS.replace("111", "96"))),
        &ours,
    );
    assert_eq!(back.map(|audio| (audio.codec, audio.payload, audio.dtmf, audio.dtmf_clock)), Ok((Opus, 96, Some(102), 48_000)));
}

#[test]
fn hold_and_resume_are_seen_from_our_side() {
    #[rustfmt::skip]
    let table = [
        // their offer                               send   receive  our answer
        ("m=audio 6000 RTP/AVP 0",                   true,  true,    "sendrecv"),
        ("m=audio 6000 RTP/AVP 0|a=sendonly",        false, true,    "recvonly"),
        ("m=audio 6000 RTP/AVP 0|a=recvonly",        true,  false,   "sendonly"),
        ("m=audio 6000 RTP/AVP 0|a=inactive",        false, false,   "inactive"),
        ("m=audio 6000 RTP/AVP 0|c=IN IP4 0.0.0.0",  false, true,    "recvonly"),
        ("a=inactive|m=audio 6000 RTP/AVP 0",        false, false,   "inactive"),
        ("a=inactive|m=audio 6000 RTP/AVP 0|a=sendrecv", true, true, "sendrecv"),
    ];
    for (offer, send, receive, attribute) in table {
        let (bytes, audio) = answer(&sdp(offer), &ours()).unwrap();
        assert_eq!((audio.send, audio.receive), (send, receive), "{offer}");
        assert!(String::from_utf8_lossy(&bytes).contains(&format!("\r\na={attribute}\r\n")), "{offer}");
        let on_hold = Local { direction: Direction::SendOnly, ..ours() };
        assert!(!answer(&sdp(offer), &on_hold).unwrap().1.receive, "{offer}: what we don't want to hear is not sent");
    }
}

#[test]
fn other_media_are_refused_in_their_places() {
    #[rustfmt::skip]
    let table: [(&str, &[&str]); 4] = [
        ("m=audio 6000 RTP/AVP 0|m=video 6002 RTP/AVP 31 34",    &["m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 31 34"]),
        ("m=video 6002 RTP/AVP 31|m=audio 6000 RTP/AVP 0",       &["m=video 0 RTP/AVP 31", "m=audio 4000 RTP/AVP 0"]),
        ("m=audio 6000 RTP/SAVP 0|m=audio 6002 RTP/AVP 8|m=audio 6004 RTP/AVP 0",
                                                                 &["m=audio 0 RTP/SAVP 0", "m=audio 4000 RTP/AVP 8", "m=audio 0 RTP/AVP 0"]),
        ("m=audio 0 RTP/AVP 0|m=audio 6002 RTP/AVP 8",           &["m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 8"]),
    ];
    for (offered, lines) in table {
        let (bytes, audio) = answer(&sdp(offered), &ours()).unwrap();
        assert_eq!(m_lines(&bytes), lines, "{offered}");
        // RFC 3264 8: a later offer of ours keeps the lines.
        let later = offer(&Local { shape: audio.shape, version: 2, ..ours() });
        let ports = |line: &String| line.split(' ').nth(1) == Some("0");
        assert_eq!(m_lines(&later).iter().map(ports).collect::<Vec<_>>(), m_lines(&bytes).iter().map(ports).collect::<Vec<_>>());
    }
}

#[test]
fn what_cannot_be_agreed_on_is_488_and_what_is_no_sdp_is_400() {
    let many = format!("m=audio 6000 RTP/AVP 0{}", "|a=x:y".repeat(2_000));
    let long = format!("m=audio 6000 RTP/AVP 0|a=ice-ufrag:{}", "u".repeat(64_000));
    #[rustfmt::skip]
    let table = [
        ("m=audio 6000 RTP/AVP 18",                                 488),
        ("m=audio 6000 RTP/AVP 4294967296",                         488),
        ("m=audio 6000 RTP/AVP 0 128",                              488),
        ("m=audio 6000 RTP/AVP",                                    400),
        ("m=audio 0 RTP/AVP 0",                                     488),
        ("m=audio 6000 RTP/SAVP 0",                                 488),
        ("m=audio 6000/2 RTP/AVP 0",                                488),
        ("m=audio 99999 RTP/AVP 0",                                 400),
        ("m=video 6000 RTP/AVP 0",                                  488),
        ("a=no media",                                              488),
        ("m=audio 6000 RTP/AVP 0|c=IN IP4 233.252.0.1/127",         488),
        ("m=audio 6000 RTP/AVP 0|c=IN IP4 233.252.0.1",             488),
        ("m=audio 6000 RTP/AVP 0|c=IN IP4 phone.example",           488),
        ("m=audio 6000 RTP/AVP 0 101|a=fmtp:101 0-15\0",            400),
        (&many,                                                     400),
        (&long,                                                     400),
    ];
    for (offer, status) in table {
        let refused = answer(&sdp(offer), &ours()).expect_err(offer.get(..60).unwrap_or(offer));
        assert_eq!(refused.status(), status, "{offer:.60}: {refused}");
    }
    for garbage in [&b""[..], b"hello", b"v=1\r\n", b"<sdp/>", b"\xff\xfe"] {
        assert_eq!(answer(garbage, &ours()).unwrap_err().status(), 400);
    }
}

#[test]
fn a_latin_1_letter_does_not_cost_the_call() {
    let offer =
        [b"v=0\r\no=Jos\xe9 1 1 IN IP4 198.51.100.9\r\ns=Llamada de Jos\xe9\r\n", &b"c=IN IP4 198.51.100.9\r\nt=5 9\r\n"[..]]
            .concat();
    let offer = [&offer[..], b"m=audio 6000 RTP/AVP 8\r\n"].concat();
    let (bytes, audio) = answer(&offer, &ours()).unwrap();
    assert_eq!(audio.codec, AudioCodec::Pcma);
    assert!(String::from_utf8_lossy(&bytes).contains("\r\nt=5 9\r\n"), "RFC 3264 6: the answer repeats the time");
}

#[test]
fn our_offer_is_understood_and_its_answer_by_us() {
    let theirs = Local::new("2001:db8::5".parse().unwrap(), 5000, 9);
    let (bytes, there) = answer(&offer(&ours()), &theirs).unwrap();
    let here = read_answer(&bytes, &ours()).unwrap();
    assert_eq!((there.codec, there.payload, there.dtmf), (AudioCodec::Pcma, 8, Some(101)));
    assert_eq!((here.codec, here.payload, here.dtmf), (AudioCodec::Pcma, 8, Some(101)));
    assert_eq!((here.remote, there.remote), ("[2001:db8::5]:5000".parse().unwrap(), "192.0.2.1:4000".parse().unwrap()));
    assert!(here.send && here.receive && there.send && there.receive);
}

#[test]
fn their_answer_may_refuse_hold_or_number_dtmf_anew() {
    let read = |lines: &str| read_answer(&sdp(lines), &ours());
    assert_eq!(read("m=audio 0 RTP/AVP 0").unwrap_err().status(), 488);
    assert_eq!(read("m=audio 6000 RTP/AVP 18").unwrap_err().status(), 488);
    let renumbered = read("m=audio 6000 RTP/AVP 0 96|a=rtpmap:96 telephone-event/8000").unwrap();
    assert_eq!((renumbered.codec, renumbered.dtmf), (AudioCodec::Pcmu, Some(96)));
    let inactive = read("m=audio 6000 RTP/AVP 8|a=inactive").unwrap();
    assert!(!inactive.send && !inactive.receive);
    // With a refused video line before it, the audio is where it was.
    let shape = answer(&sdp("m=video 1 RTP/AVP 31|m=audio 6000 RTP/AVP 0"), &ours()).unwrap().1.shape;
    let ours = Local { shape, ..ours() };
    assert!(
        read_answer(&sdp("m=video 0 RTP/AVP 31|m=audio 7000 RTP/AVP 0"), &ours).is_ok_and(|audio| audio.remote.port() == 7000)
    );
    assert!(read_answer(&sdp("m=audio 7000 RTP/AVP 0"), &ours).is_ok(), "lost lines are forgiven");
}

#[test]
fn rtcp_shares_the_port_only_if_both_want_it() {
    let offer = sdp("m=audio 6000 RTP/AVP 0|a=rtcp-mux");
    let (bytes, audio) = answer(&offer, &ours()).unwrap();
    assert!(!audio.rtcp_mux && !String::from_utf8_lossy(&bytes).contains("rtcp-mux"));
    let (bytes, audio) = answer(&offer, &Local { rtcp_mux: true, ..ours() }).unwrap();
    assert!(audio.rtcp_mux && String::from_utf8_lossy(&bytes).contains("a=rtcp-mux\r\n"));
}

#[test]
fn an_answer_with_other_numbers_leaves_ours_for_what_comes() {
    let mut ours = Local::new([192, 0, 2, 1].into(), 4_000, 1);
    ours.codecs = vec![AudioCodec::Opus];
    let answer = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 5000 RTP/AVP 111 110\r\n\
        a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";
    let audio = read_answer(answer, &ours).unwrap();
    assert_eq!((audio.payload, audio.dtmf, audio.offered), (111, Some(110), Some(96)));
    assert_eq!(audio.events, [(101, 8_000), (102, 48_000)]);
    let theirs = super::answer(answer, &ours).unwrap().1;
    assert_eq!((theirs.payload, theirs.offered), (111, None), "by the numbers of their offer in both directions");
}

#[test]
fn each_number_of_telephone_event_is_heard_at_its_clock_if_one_was_agreed_on() {
    let ours = Local { codecs: vec![AudioCodec::Opus, AudioCodec::Pcma], ..ours() };
    const MAPS: &str = "a=rtpmap:111 opus/48000/2|a=rtpmap:110 telephone-event/48000|a=rtpmap:126 telephone-event/8000";
    let many: String = (96..128).map(|n| format!("|a=rtpmap:{n} telephone-event/8000")).collect();
    let all: String = (96..128).map(|n| format!(" {n}")).collect();
    #[rustfmt::skip]
    let table = [
        // their offer                                                   we send      we hear
        (format!("m=audio 6000 RTP/AVP 111 110 126|{MAPS}"),             Some(110),   vec![(110, 48_000), (126, 8_000)]),
        (format!("m=audio 6000 RTP/AVP 8 110 126|{MAPS}"),               Some(126),   vec![(110, 48_000), (126, 8_000)]),
        (format!("m=audio 6000 RTP/AVP 111 126|{MAPS}"),                 Some(126),   vec![(126, 8_000)]),
        (format!("m=audio 6000 RTP/AVP 8 110|{MAPS}"),                   None,        vec![]),
        (format!("m=audio 6000 RTP/AVP 8{all}{many}"),                   Some(96),    (96..100).map(|n| (n, 8_000)).collect()),
    ];
    for (theirs, sent, heard) in table {
        let audio = answer(&sdp(&theirs), &ours).unwrap().1;
        assert_eq!((audio.dtmf, audio.events), (sent, heard), "{theirs}");
    }
    let keys = |lines: &str| read_answer(&sdp(lines), &ours).unwrap().events;
    let both = "m=audio 6000 RTP/AVP 8 101 102|a=rtpmap:101 telephone-event/8000|a=rtpmap:102 telephone-event/48000";
    assert_eq!(keys(both), [(101, 8_000), (102, 48_000)]);
    assert_eq!(keys("m=audio 6000 RTP/AVP 8"), []);
}

/// Number and encoding of each rtpmap, in their order.
fn maps(sdp: &[u8]) -> Vec<(u8, String)> {
    let map = |line: &str| {
        let (number, encoding) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        Some((number.parse().unwrap(), encoding.to_ascii_lowercase()))
    };
    String::from_utf8_lossy(sdp).lines().filter_map(map).collect()
}

#[test]
fn a_number_means_the_same_in_all_that_is_said_in_a_session() {
    let ours = Local { codecs: vec![AudioCodec::Opus, AudioCodec::Pcma], ..ours() };
    let many: String = (96..128).map(|n| format!("|a=rtpmap:{n} speex/{n}")).collect();
    let all: String = (96..128).map(|n| format!(" {n}")).collect();
    #[rustfmt::skip]
    let table = [
        // what they offered                                                                     the numbers of our next offer
        ("m=audio 6000 RTP/AVP 111 110|a=rtpmap:111 opus/48000/2|a=rtpmap:110 telephone-event/48000".to_string(),
                                                                                                 "111 8 101 110"),
        ("m=audio 6000 RTP/AVP 97 96|a=rtpmap:97 opus/48000/2|a=rtpmap:96 telephone-event/8000".to_string(),
                                                                                                 "97 8 96 102"),
        ("m=audio 6000 RTP/AVP 8 96 101|a=rtpmap:96 telephone-event/8000|a=rtpmap:101 speex/8000".to_string(),
                                                                                                 "97 8 96 102"),
        ("m=audio 6000 RTP/AVP 98 96 102|a=rtpmap:98 PCMA/8000|a=rtpmap:96 L16/8000|a=rtpmap:102 iLBC/8000".to_string(),
                                                                                                 "97 98 101 99"),
        ("m=audio 6000 RTP/AVP 8 101|a=rtpmap:101 telephone-event/8000".to_string(),             "96 8 101 102"),
        // Nothing is left to say Opus or a key by.
        (format!("m=audio 6000 RTP/AVP 8{all}{many}"),                                           "8"),
    ];
    for (theirs, numbers) in table {
        let theirs = sdp(&theirs);
        let (_, audio) = answer(&theirs, &ours).unwrap();
        let later = Local { shape: audio.shape, version: 2, ..ours.clone() };
        let offered = offer(&later);
        assert_eq!(m_lines(&offered), [format!("m=audio 4000 RTP/AVP {numbers}")]);
        let before = maps(&theirs);
        for (number, encoding) in maps(&offered) {
            assert!(before.iter().all(|(other, said)| *other != number || *said == encoding), "{number}: {before:?}");
        }
    }
}

#[test]
fn what_we_offered_keeps_its_numbers_whatever_their_answer_calls_it() {
    let ours = Local { codecs: vec![AudioCodec::Opus, AudioCodec::Pcma], ..ours() };
    let swapped = "m=audio 6000 RTP/AVP 102 96|a=rtpmap:102 opus/48000/2|a=rtpmap:96 telephone-event/48000";
    let audio = read_answer(&sdp(swapped), &ours).unwrap();
    let later = Local { shape: audio.shape, version: 2, ..ours.clone() };
    assert_eq!(maps(&offer(&later)), maps(&offer(&ours)));
    // They offer in their turn, by a number of their own.
    let renumbered = "m=audio 6000 RTP/AVP 8 97|a=rtpmap:97 telephone-event/8000";
    let only = Local { codecs: vec![AudioCodec::Pcma], ..ours };
    let first = read_answer(&sdp("m=audio 6000 RTP/AVP 8 101|a=rtpmap:101 telephone-event/8000"), &only).unwrap();
    let (_, second) = answer(&sdp(renumbered), &Local { shape: first.shape, ..only.clone() }).unwrap();
    let third = offer(&Local { shape: second.shape, ..only });
    assert_eq!(m_lines(&third), ["m=audio 4000 RTP/AVP 8 101"], "as we said it first");
}

#[test]
fn what_a_peer_asks_of_opus_is_read_where_it_binds_us_and_nonsense_asks_for_nothing() {
    let ours = Local { codecs: vec![AudioCodec::Opus, AudioCodec::Pcma], ..ours() };
    let long = format!("maxaveragebitrate=9{}", "9".repeat(900));
    #[rustfmt::skip]
    let table = [
        // fmtp                                                                                  bits           Hz
        ("111 maxaveragebitrate=20000",                                                          Some(20_000),  None),
        ("111 maxplaybackrate=8000; sprop-maxcapturerate=8000; MaxAverageBitrate = 12000;stereo=1", Some(12_000), Some(8_000)),
        ("111 minptime=10;useinbandfec=1;usedtx=1;cbr=1",                                        None,          None),
        ("111 maxaveragebitrate=6000;maxplaybackrate=48000",                                     Some(6_000),   Some(48_000)),
        ("111 maxaveragebitrate=5999;maxplaybackrate=7999",                                      None,          None),
        ("111 maxaveragebitrate=510001;maxplaybackrate=96000",                                   None,          None),
        ("111 maxaveragebitrate=-1;maxplaybackrate=",                                            None,          None),
        ("111 maxaveragebitrate=99999999999999999999;;=;==;maxplaybackrate=0x1f40",              None,          None),
        ("111",                                                                                  None,          None),
        ("112 maxaveragebitrate=20000",                                                          None,          None),
        (&long,                                                                                  None,          None),
    ];
    for (said, bitrate, rate) in table {
        let lines = format!("m=audio 6000 RTP/AVP 111 112|a=rtpmap:111 opus/48000/2|a=fmtp:{said}|a=ptime:10|a=maxptime:10");
        let (bytes, audio) = answer(&sdp(&lines), &ours).unwrap();
        assert_eq!(audio.asks, Asks { bitrate, rate }, "{said:.60}");
        assert!(String::from_utf8_lossy(&bytes).contains("\r\na=ptime:20\r\n"), "what they would like binds nobody");
    }
    let other = "m=audio 6000 RTP/AVP 8 111|a=rtpmap:111 opus/48000/2|a=fmtp:8 maxaveragebitrate=9000|a=ptime:-|a=maxptime:9e9";
    assert_eq!(answer(&sdp(other), &ours).unwrap().1.asks, Asks::default(), "it is of another codec");
    let answered = "m=audio 6000 RTP/AVP 96|a=rtpmap:96 opus/48000/2|a=fmtp:96 maxaveragebitrate=9000";
    assert_eq!(read_answer(&sdp(answered), &ours).unwrap().asks.bitrate, Some(9_000));
}
