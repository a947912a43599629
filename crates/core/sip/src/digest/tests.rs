//! Challenges, answers, and what is refused.

use super::*;

const REQUEST: Signed<'_> = Signed { method: &Method::Register, uri: "sip:centre.example", body: b"" };
const ACCOUNT: Account<'_> = Account { realm: "centre", username: "ana", password: "secret" };

fn answer(challenges: &[String], account: &Account<'_>) -> Option<Credentials> {
    respond(challenges.iter().map(|value| value.as_bytes()), account, &REQUEST, "0a4f113b", 1)
}

/// The known answers are those that RFC 7616 3.9.1 prints for its own request.
#[test]
fn the_known_answers_of_rfc_7616_come_out() {
    let (user, realm, password) = ("Mufasa", "http-auth@example.org", "Circle of Life");
    for (algorithm, response) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let value = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", uri=\"/dir/index.html\", algorithm={}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            algorithm.as_str()
        );
        let credentials = Credentials::parse(value.as_bytes()).unwrap();
        let get = Method::parse(b"GET").unwrap();
        assert!(credentials.verify(Secret::Password(password), &get, b""), "{algorithm:?}");
        assert!(credentials.verify(Secret::Ha1(algorithm, &ha1(algorithm, user, realm, password)), &get, b""));
        assert!(!credentials.verify(Secret::Password("circle of life"), &get, b""));
        assert!(!credentials.verify(Secret::Password(password), &Method::Invite, b""));
    }
}

#[test]
fn our_answer_to_our_challenge_is_accepted_once_written_and_read() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let challenge = Challenge::new("centre", "no\"nce", algorithm, true);
        assert_eq!(Challenge::parse(challenge.to_string().as_bytes()), Ok(challenge.clone()));
        let credentials = answer(&[challenge.to_string()], &ACCOUNT).unwrap();
        let read = Credentials::parse(credentials.to_string().as_bytes()).unwrap();
        assert_eq!(read, credentials);
        assert!(read.verify(Secret::Password("secret"), &Method::Register, b""));
        assert_eq!((read.nc, read.algorithm), (Some(1), algorithm));
    }
}

#[test]
fn the_strongest_known_algorithm_is_answered_and_no_other_realm() {
    let md5 = Challenge::new("centre", "n1", Algorithm::Md5, false).to_string();
    let sha = Challenge::new("centre", "n2", Algorithm::Sha256, false).to_string();
    let new = sha.replace("SHA-256", "SHA-512-256");
    for list in [[md5.clone(), sha.clone(), new.clone()], [new.clone(), sha, md5.clone()]] {
        assert_eq!(answer(&list, &ACCOUNT).unwrap().algorithm, Algorithm::Sha256);
    }
    assert_eq!(answer(&[new.clone(), md5.clone()], &ACCOUNT).unwrap().algorithm, Algorithm::Md5);
    assert_eq!(answer(&[new], &ACCOUNT), None);
    assert_eq!(answer(&[md5], &Account { realm: "elsewhere", ..ACCOUNT }), None);
}

#[test]
fn without_qop_the_old_form_is_used_and_auth_int_covers_the_body() {
    let old = answer(&["Digest realm=\"centre\", nonce=\"n\"".into()], &ACCOUNT).unwrap();
    assert_eq!((old.qop, old.nc, old.algorithm), (None, None, Algorithm::Md5));
    assert!(old.verify(Secret::Password("secret"), &Method::Register, b"any body"));
    let int = answer(&["Digest realm=\"centre\", nonce=\"n\", qop=\"auth-int\"".into()], &ACCOUNT).unwrap();
    assert!(int.verify(Secret::Password("secret"), &Method::Register, b""));
    assert!(!int.verify(Secret::Password("secret"), &Method::Register, b"changed"));
}

#[test]
fn broken_credentials_are_malformed_and_unknown_algorithms_are_only_unknown() {
    let good = answer(&[Challenge::new("centre", "n", Algorithm::Md5, false).to_string()], &ACCOUNT).unwrap().to_string();
    for (from, to, error) in [
        ("username=\"ana\"", "username=\"ana", BadDigest::Malformed),
        ("username=\"ana\"", "username", BadDigest::Malformed),
        ("username=\"ana\", ", "", BadDigest::Malformed),
        ("nonce=\"n\"", "nonce=\"n\", nonce=\"m\"", BadDigest::Malformed),
        ("nc=00000001", "nc=000000001", BadDigest::Malformed),
        ("nc=00000001", "nc=+0000001", BadDigest::Malformed),
        (", cnonce=\"0a4f113b\"", "", BadDigest::Malformed),
        ("Digest", "Digestive", BadDigest::Malformed),
        ("MD5", "MD5-sess", BadDigest::Unknown),
        ("qop=auth", "qop=token", BadDigest::Unknown),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert_eq!(Credentials::parse(bad.as_bytes()), Err(error), "{to}");
    }
}
