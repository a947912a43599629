//! Which addresses are inner ones: a webhook that points there would make this node a door into its own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// True for every address that is not one of the public internet.
pub fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => inner_v4(v4),
        IpAddr::V6(v6) => inner_v6(v6),
    }
}

fn inner_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        // Shared by carriers (RFC 6598), protocol assignments (RFC 6890), benchmarks (RFC 2544), 6to4 relays.
        || (a == 100 && b & 0xC0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xFE == 18)
        || (a == 192 && b == 88 && c == 99)
}

fn inner_v6(v6: Ipv6Addr) -> bool {
    let s = v6.segments();
    let tail = Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    match s {
        // Mapped, and translated by NAT64 (RFC 6052): as the address within.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => inner_v4(tail),
        // 6to4 carries its address in front.
        [0x2002, high, low, ..] => inner_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        // Global unicast is 2000::/3, without documentation, Teredo and the rest of 2001::/23.
        [0x2001, second, ..] => second < 0x200 || second == 0xdb8,
        [0x3fff, second, ..] => second < 0x1000,
        [first, ..] => first & 0xE000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_known_in_every_dress() {
        let inner = "127.0.0.1 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 255.255.255.255 224.0.0.1 198.18.0.1 \
                     ::1 :: fe80::1 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:7f00:1:: 2001:db8::1 2001::1 ::7f00:1";
        for text in inner.split_whitespace() {
            assert!(is_inner(text.parse().unwrap()), "{text}");
        }
        for text in
            "1.1.1.1 172.32.0.1 100.128.0.1 2606:4700::1111 2001:4860:4860::8888 ::ffff:1.1.1.1 2002:101:101::".split_whitespace()
        {
            assert!(!is_inner(text.parse().unwrap()), "{text}");
        }
    }
}
