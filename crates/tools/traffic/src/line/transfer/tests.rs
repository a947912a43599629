use super::*;

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn invite(call_id: &str) -> Bytes {
    bytes(&format!(
        "INVITE sip:ana@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKi\r\nFrom: <sip:1@10.0.0.1>;tag=theirs\r\n\
         To: <sip:ana@10.0.0.2>\r\nCall-ID: {call_id}\r\nCSeq: 7 INVITE\r\nContact: <sip:c@10.0.0.1:5070>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn peers() -> (SocketAddr, SocketAddr) {
    ("10.0.0.2:6000".parse().unwrap(), "10.0.0.1:5060".parse().unwrap())
}

/// A phone that has answered a call.
fn answered(call_id: &str) -> Transfers {
    let mut transfers = Transfers::default();
    let from = "10.0.0.1:5060".parse().unwrap();
    let passed = transfers.received(invite(call_id), from, &mut News::default(), &mut None);
    assert_eq!(passed, Some(invite(call_id)));
    let invite = Message::parse(invite(call_id)).unwrap();
    transfers.sent(response_to(&invite, 200, "OK", Some("ours"), from).finish());
    transfers
}

fn request(transfers: &mut Transfers, number: u32, method: &str) -> (u32, String) {
    let text = format!(
        "{method} sip:c@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb\r\nFrom: <sip:ana@10.0.0.2>;tag=ours\r\n\
         To: <sip:1@10.0.0.1>;tag=theirs\r\nCall-ID: c\r\nCSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n"
    );
    let (number, method) = Message::parse(transfers.sent(bytes(&text))).unwrap().cseq().unwrap();
    (number, method.to_string())
}

#[test]
fn a_refer_names_its_dialog_and_the_endpoints_next_request_comes_after_it() {
    let mut transfers = answered("c");
    assert_eq!(request(&mut transfers, 1, "INVITE"), (1, "INVITE".into()), "a hold");
    let refer = transfers.refer("101", ("c", None), peers(), &mut Random::from_seed(1)).unwrap();
    let refer = Message::parse(refer).unwrap();
    assert_eq!((refer.cseq().unwrap().0, refer.uri().unwrap().to_string()), (2, "sip:c@10.0.0.1:5070".into()));
    assert_eq!((tag_of(refer.from()), tag_of(refer.to())), ("ours".into(), "theirs".into()));
    let to = refer.header(HeaderId::ReferTo).unwrap();
    assert_eq!(&*to, b"<sip:101@10.0.0.1:5060>");
    assert_eq!(request(&mut transfers, 2, "BYE"), (3, "BYE".into()));
    // The answer reaches the endpoint with the number that it knows.
    let answer = bytes(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb\r\nFrom: <sip:a@b>;tag=ours\r\n\
         To: <sip:1@b>;tag=theirs\r\nCall-ID: c\r\nCSeq: 3 BYE\r\nContent-Length: 0\r\n\r\n",
    );
    let passed = transfers.received(answer, peers().1, &mut News::default(), &mut None).unwrap();
    assert_eq!(Message::parse(passed).unwrap().cseq().unwrap().0, 2);
}

#[test]
fn an_attended_transfer_names_the_other_dialog_by_the_tags_of_whoever_reads_it() {
    let mut transfers = answered("c");
    let answer = bytes(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb\r\nFrom: <sip:ana@b>;tag=mine\r\n\
         To: <sip:102@b>;tag=yours\r\nCall-ID: d@x\r\nCSeq: 1 INVITE\r\nContact: <sip:c@10.0.0.1>\r\nContent-Length: 0\r\n\r\n",
    );
    transfers.received(answer, peers().1, &mut News::default(), &mut None);
    let refer = transfers.refer("102", ("c", Some("d@x")), peers(), &mut Random::from_seed(1)).unwrap();
    let to = Message::parse(refer).unwrap().header(HeaderId::ReferTo).unwrap().into_owned();
    let replaces = sip::ReferTo::parse(&to).unwrap().replaces.unwrap();
    assert_eq!((&*replaces.call_id, &*replaces.to_tag, &*replaces.from_tag), ("d@x", "yours", "mine"));
}

#[test]
fn the_last_notify_says_how_it_went_and_each_is_answered() {
    let mut transfers = answered("c");
    let mut told = Vec::new();
    for status in ["100 Trying", "200 OK"] {
        let body = format!("SIP/2.0 {status}\r\n");
        let notify = Builder::request(Method::Notify, "sip:ana@10.0.0.2")
            .header(HeaderId::Via, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKn")
            .header(HeaderId::From, "<sip:1@10.0.0.1>;tag=theirs")
            .header(HeaderId::To, "<sip:ana@10.0.0.2>;tag=ours")
            .header(HeaderId::CallId, "c")
            .header(HeaderId::CSeq, "8 NOTIFY")
            .body("message/sipfrag", body.as_bytes());
        let (mut news, mut reply) = (News::default(), None);
        assert_eq!(transfers.received(notify, peers().1, &mut news, &mut reply), None);
        assert_eq!(Message::parse(reply.unwrap()).unwrap().status(), Some(200));
        told.extend(news.told);
    }
    assert_eq!(told, [Told { call_id: "c".into(), status: 200 }]);
}

#[test]
fn a_refer_that_nobody_answers_is_sent_again_and_then_given_up() {
    let mut transfers = answered("c");
    let refer = transfers.refer("101", ("c", None), peers(), &mut Random::from_seed(1)).unwrap();
    let (mut news, mut sent) = (News::default(), 0);
    while let Some(due) = transfers.deadline() {
        let again = transfers.on_due(due, &mut news);
        assert!(again.iter().all(|bytes| *bytes == refer));
        sent += again.len();
    }
    assert_eq!((sent, news.told), (10, vec![Told { call_id: "c".into(), status: 408 }]));
}
