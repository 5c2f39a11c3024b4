//! Mojibake: UTF-8 that was read in another encoding (`cafÃ©`), recognized and read back.
//!
//! CLIP's vocabulary was built on text that had gone through ftfy, so the same text must come out
//! here. The rules and their order are those of ftfy 6.3.1 by Robyn Speer (Apache-2.0, rspeer/python-ftfy
//! commit 74dd045, `ftfy/badness.py`, `ftfy/chardata.py`, `ftfy/fixes.py`), written anew.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Regex, bytes::Regex as BytesRegex};

/// Text may have been garbled several times over; more rounds than this only hostile text needs.
const MAX_ROUNDS: usize = 24;
/// Garbled text within garbled text; each level is shorter than the one around it.
const MAX_DEPTH: usize = 4;

/// Reads garbled UTF-8 back, as often as it was garbled; leaves text alone that looks right.
pub(super) fn fix_encoding(text: &str) -> String {
    fix_at_depth(text, 0)
}

/// Takes control characters U+0080 to U+009F for the Windows-1252 characters with these numbers.
pub(super) fn fix_c1_controls(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{80}'..='\u{9f}' => CHARMAPS[WINDOWS_1252].decode[c as usize],
            _ => c,
        })
        .collect()
}

fn fix_at_depth(text: &str, depth: usize) -> String {
    let mut text = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        match fix_once(&text, depth) {
            Some(fixed) if fixed != text => text = fixed,
            _ => break,
        }
    }
    text
}

fn fix_once(text: &str, depth: usize) -> Option<String> {
    if text.is_ascii() || !is_bad(text) {
        return None;
    }
    let read_back = CHARMAPS.iter().find_map(|charmap| {
        let mut bytes = charmap.encode(text)?;
        // In Mac Roman this would take an en dash and a space for half a character.
        if charmap.name != "macroman" {
            bytes = restore_byte_a0(bytes);
        }
        if charmap.sloppy {
            bytes = replace_all(&LOSSY_UTF8, bytes, |_| "\u{fffd}".into());
        }
        decode_utf8_variants(&bytes)
    });
    if read_back.is_some() {
        return read_back;
    }
    if depth < MAX_DEPTH {
        let fixed = fix_embedded(text, depth);
        if fixed != text {
            return Some(fixed);
        }
    }
    // Latin-1 with control characters was meant to be Windows-1252.
    text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}')).then(|| fix_c1_controls(text))
}

/// Reads back the stretches that look like UTF-8 in a text that as a whole has no one encoding.
fn fix_embedded(text: &str, depth: usize) -> String {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let offset = |i: usize| chars.get(i).map_or(text.len(), |&(at, _)| at);
    let mut fixed = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let after_continuation = i > 0 && Clue::of(chars[i - 1].1).strict_continuation();
        let length = if after_continuation { 0 } else { utf8_like_length(&chars[i..]) };
        let part = &text[offset(i)..offset(i + length.max(1))];
        if length > 0 && part.len() < text.len() && is_bad(part) {
            fixed.push_str(&fix_at_depth(part, depth + 1));
        } else {
            fixed.push_str(part);
        }
        i += length.max(1);
    }
    fixed
}

/// How many characters from here on look like whole UTF-8 sequences, byte for byte.
fn utf8_like_length(chars: &[(usize, char)]) -> usize {
    let mut length = 0;
    while let Some(&(_, first)) = chars.get(length) {
        let Some(following) = Clue::of(first).following else { break };
        let rest = chars.get(length + 1..=length + following).unwrap_or_default();
        if rest.is_empty() || !rest.iter().all(|&(_, c)| c == ' ' || Clue::of(c).continuation) {
            break;
        }
        length += 1 + following;
    }
    length
}

// ---- what looks like mojibake ----

/// Kinds of characters that occur in mojibake, named in [`BAD_SEQUENCES`] as `{name}`.
const KINDS: [(&str, &str); 14] = [
    ("common", r"\u{a0}\u{ad}·´–—―…’"),
    ("c1", r"\u{80}-\u{9f}"),
    ("bad", r"¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\u{fffd}"),
    ("law", "§¶"),
    ("currency", "¢£¥₧€"),
    ("start", r"¡©«¿΄΅‘‚“„•‹\u{f8ff}"),
    ("end", "®»˝”›™"),
    ("numeric", "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№"),
    ("kaomoji", "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ"),
    ("upper", "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"),
    ("lower", "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ"),
    ("upper_common", "ÞΑ-ΫΆΈ-ΊΌΎΏЁ-Я"),
    ("lower_common", "ά-ωа-џ"),
    ("box", "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓"),
];

/// Sequences that people hardly write and garbling makes.
const BAD_SEQUENCES: [&str; 37] = [
    r"[{c1}]",
    r"[{bad}{lower}{upper}{box}{start}{end}{currency}{numeric}{law}][{bad}]",
    r"[a-zA-Z][{lower_common}{upper_common}][{bad}]",
    r"[{bad}][{lower}{upper}{box}{start}{end}{currency}{numeric}{law}]",
    r"[{lower}{lower_common}{box}{end}{currency}{numeric}][{upper}]",
    r"[{box}{end}{currency}{numeric}][{lower}]",
    r"[{lower}{box}{end}][{currency}]",
    r"[\s\x1c-\x1f][{upper}][{currency}]",
    r"[{upper}{box}][{numeric}{law}]",
    r"[{lower}{upper}{box}{currency}{end}][{start}][{numeric}]",
    r"[{lower}{upper}{currency}{numeric}{box}{law}][{end}][{start}]",
    r"[{currency}{numeric}{box}][{start}]",
    r"[a-z][{upper}][{start}{currency}]",
    r"[{box}][{kaomoji}]",
    r"[{lower}{upper}{currency}{numeric}{start}{end}{law}][{box}]",
    r"[{box}][{end}]",
    r"[{lower}{upper}][{start}{end}][\p{L}\p{N}_]",
    r"[Œœ][^A-Za-z]",
    r"[{upper}]°",
    // Windows-1252, two characters.
    r"[ÂÃÎÐ][€œŠš¢£Ÿž\u{a0}\u{ad}®©°·»{start}{end}–—´]",
    r"×[²³]",
    // Arabic in Windows-1252; these characters are common, so four are asked for.
    r"[ØÙ][{common}{currency}{bad}{numeric}{start}ŸŠ®°µ»][ØÙ][{common}{currency}{bad}{numeric}{start}ŸŠ®°µ»]",
    // Alphabets of South Asia in Windows-1252.
    r"à[²µ¹¼½¾]",
    // Mac Roman.
    r"√[±∂†≠®™´≤≥¥µø]",
    r"≈[°¢]",
    r"‚Ä[ìîïòôúùû†°¢π]",
    r"‚[âó][àä°ê]",
    // Windows-1251: punctuation, Latin-1 and Cyrillic, and both one upon the other.
    r"вЂ",
    r"[ВГРС][{c1}{bad}{start}{end}{currency}°µ][ВГРС]",
    r"ГўВЂВ.[A-Za-z ]",
    // `à`, `á` and the no-break space in Windows-1252.
    r"Ã[\u{a0}¡]",
    r"[a-z][\s\x1c-\x1f]?[ÃÂ] ",
    r"^[ÃÂ] ",
    // A character that is garbled into itself after Â.
    r"[a-z.,?!{end}]Â[ {start}{end}]",
    // Windows-1253: punctuation, Latin-1 and Greek.
    r"β€[™\u{a0}Ά\u{ad}®°]",
    r"[ΒΓΞΟ][{c1}{bad}{start}{end}{currency}°][ΒΓΞΟ]",
    // Windows-1257: punctuation.
    r"ā€",
];

static BADNESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let mut pattern = BAD_SEQUENCES.join("|");
    for (name, characters) in KINDS {
        pattern = pattern.replace(&format!("{{{name}}}"), characters);
    }
    Regex::new(&pattern).ok()
});

fn is_bad(text: &str) -> bool {
    BADNESS.as_ref().is_some_and(|badness| badness.is_match(text))
}

/// Which bytes of UTF-8 a character can be, read in an encoding like Latin-1.
#[derive(Debug, Default, Clone, Copy)]
struct Clue {
    /// For a first byte: how many bytes follow it.
    following: Option<usize>,
    continuation: bool,
    /// Punctuation that also stands for itself beside mojibake.
    punctuation: bool,
}

impl Clue {
    fn of(c: char) -> Self {
        CLUES.get(&c).copied().unwrap_or_default()
    }

    fn strict_continuation(self) -> bool {
        self.continuation && !self.punctuation
    }
}

static CLUES: LazyLock<HashMap<char, Clue>> = LazyLock::new(|| {
    let mut clues: HashMap<char, Clue> = HashMap::new();
    for charmap in CHARMAPS.iter().filter(|charmap| charmap.latin_like) {
        for (byte, &c) in charmap.decode.iter().enumerate().skip(0x80) {
            let clue = clues.entry(c).or_default();
            match byte {
                0x80..=0xBF => clue.continuation = true,
                0xC2..=0xDF => clue.following = Some(1),
                0xE0..=0xEF => clue.following = Some(2),
                0xF0 => clue.following = Some(3),
                _ => {}
            }
        }
    }
    for c in "óσу".chars() {
        // Byte F3: tag characters, which new emoji are made of.
        clues.entry(c).or_default().following = Some(3);
    }
    for c in "–—―‘’‚“”„•…".chars() {
        clues.entry(c).or_default().punctuation = true;
    }
    clues
});

// ---- encodings ----

/// A single-byte encoding.
struct Charmap {
    name: &'static str,
    /// Bytes without a character stand for the control characters with their numbers, and byte 1A
    /// for a character that was lost.
    sloppy: bool,
    /// Letters sit where Latin-1 has letters.
    latin_like: bool,
    decode: [char; 256],
    encode: HashMap<char, u8>,
}

impl Charmap {
    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        text.chars()
            .map(|c| match c {
                '\x1a' if self.sloppy => None,
                '\0'..='\x7f' => Some(c as u8),
                _ => self.encode.get(&c).copied(),
            })
            .collect()
    }
}

const WINDOWS_1252: usize = 1;

/// In the order in which they are tried.
static CHARMAPS: LazyLock<Vec<Charmap>> = LazyLock::new(|| {
    HIGH_HALVES
        .iter()
        .map(|&(name, high)| {
            let sloppy = name.starts_with("windows");
            let mut decode: [char; 256] = std::array::from_fn(|byte| char::from(byte as u8));
            for (slot, c) in decode[0x80..].iter_mut().zip(high.chars()).filter(|(_, c)| *c != ' ')
            {
                *slot = c;
            }
            if sloppy {
                decode[0x1A] = char::REPLACEMENT_CHARACTER;
            }
            let encode = decode.iter().copied().zip(0..=255).collect();
            let latin_like = sloppy || name == "latin-1";
            Charmap { name, sloppy, latin_like, decode, encode }
        })
        .collect()
});

/// Characters of the bytes 80 to FF (then the rest as in Latin-1); a space where Latin-1 has the same or
/// the encoding has nothing. Source: unicode.org/Public/MAPPINGS.
const HIGH_HALVES: [(&str, &str); 10] = [
    ("latin-1", ""),
    ("windows-1252", "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ"),
    (
        "windows-1251",
        "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–— ™љ›њќћџ ЎўЈ Ґ  Ё Є    Ї  Ііґ   ё№є јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя",
    ),
    (
        "windows-1250",
        "€ ‚ „…†‡ ‰Š‹ŚŤŽŹ ‘’“”•–— ™š›śťžź ˇ˘Ł Ą    Ş    Ż  ˛ł     ąş Ľ˝ľżŔ  Ă ĹĆ Č Ę Ě  ĎĐŃŇ  Ő  ŘŮ Ű  Ţ ŕ  ă ĺć č ę ě  ďđńň  ő  řů ű  ţ˙",
    ),
    (
        "windows-1253",
        "€ ‚ƒ„…†‡ ‰ ‹     ‘’“”•–— ™ ›     ΅Ά            ―    ΄   ΈΉΊ Ό ΎΏΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ ΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ",
    ),
    (
        "windows-1254",
        "€ ‚ƒ„…†‡ˆ‰Š‹Œ    ‘’“”•–—˜™š›œ  Ÿ                                                Ğ            İŞ                 ğ            ış",
    ),
    (
        "windows-1257",
        "€ ‚ „…†‡ ‰ ‹ ¨ˇ¸ ‘’“”•–— ™ › ¯˛         Ø Ŗ    Æ        ø ŗ    æĄĮĀĆ  ĘĒČ ŹĖĢĶĪĻŠŃŅ Ō   ŲŁŚŪ ŻŽ ąįāć  ęēč źėģķīļšńņ ō   ųłśū żž˙",
    ),
    (
        "iso-8859-2",
        "                                 Ą˘Ł ĽŚ  ŠŞŤŹ ŽŻ ą˛ł ľśˇ šşťź˝žżŔ  Ă ĹĆ Č Ę Ě  ĎĐŃŇ  Ő  ŘŮ Ű  Ţ ŕ  ă ĺć č ę ě  ďđńň  ő  řů ű  ţ˙",
    ),
    (
        "macroman",
        "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°  §•¶ß® ™´¨≠ÆØ∞ ≤≥¥ ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
    ),
    (
        "cp437",
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
    ),
];

// ---- bytes ----

/// UTF-8 in which byte A0 was taken for a space and became one. Where few likely characters would
/// result, the sequence is left out.
static ALTERED_UTF8: LazyLock<Option<BytesRegex>> = LazyLock::new(|| {
    BytesRegex::new(concat!(
        r"(?-u)[\xc2\xc3\xc5\xce\xd0\xd9] ",
        r"|[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]",
        r"|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] ",
        r"|\xf0 [\x80-\xbf][\x80-\xbf]",
        r"|\xf0[\x80-\xbf] [\x80-\xbf]",
        r"|\xf0[\x80-\xbf][\x80-\xbf] ",
    ))
    .ok()
});

/// UTF-8 of which some bytes were lost and replaced by 1A or a question mark.
static LOSSY_UTF8: LazyLock<Option<BytesRegex>> = LazyLock::new(|| {
    BytesRegex::new(concat!(
        r"(?-u)[\xc2-\xdf]\x1a",
        r"|[\xc2-\xc3]\?",
        r"|\xed[\xa0-\xaf][\x1a?]\xed[\xb0-\xbf][\x1a?\x80-\xbf]",
        r"|\xed[\xa0-\xaf][\x1a?\x80-\xbf]\xed[\xb0-\xbf][\x1a?]",
        r"|[\xe0-\xef][\x1a?][\x1a\x80-\xbf]",
        r"|[\xe0-\xef][\x1a\x80-\xbf][\x1a?]",
        r"|[\xf0-\xf4][\x1a?][\x1a\x80-\xbf][\x1a\x80-\xbf]",
        r"|[\xf0-\xf4][\x1a\x80-\xbf][\x1a?][\x1a\x80-\xbf]",
        r"|[\xf0-\xf4][\x1a\x80-\xbf][\x1a\x80-\xbf][\x1a?]",
        r"|\x1a",
    ))
    .ok()
});

fn restore_byte_a0(bytes: Vec<u8>) -> Vec<u8> {
    if !ALTERED_UTF8.as_ref().is_some_and(|altered| altered.is_match(&bytes)) {
        return bytes;
    }
    // `Ã la` was `à la`, with its space; Portuguese `às` and `àquele` have none.
    let mut spaced = Vec::with_capacity(bytes.len() + 8);
    let mut rest = &bytes[..];
    while let Some((&first, tail)) = rest.split_first() {
        spaced.push(first);
        rest = tail;
        if let [0xC3, b' '] = [first, tail.first().copied().unwrap_or(0)] {
            let word = &tail[1..];
            let joined: [&[u8]; 5] = [b" ", b"quele", b"quela", b"quilo", b"s "];
            if !joined.iter().any(|start| word.starts_with(start)) {
                spaced.push(0xA0);
            }
        }
    }
    replace_all(&ALTERED_UTF8, spaced, |found| {
        found.iter().map(|&b| if b == b' ' { 0xA0 } else { b }).collect()
    })
}

fn replace_all(
    pattern: &LazyLock<Option<BytesRegex>>,
    bytes: Vec<u8>,
    new: impl Fn(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    match &**pattern {
        Some(pattern) => {
            pattern.replace_all(&bytes, |c: &regex::bytes::Captures| new(&c[0])).into_owned()
        }
        None => bytes,
    }
}

/// UTF-8, also with characters as two surrogates (CESU-8) and zero as C0 80; `None` if it is neither.
fn decode_utf8_variants(bytes: &[u8]) -> Option<String> {
    if !bytes.contains(&0xED) && !bytes.contains(&0xC0) {
        return std::str::from_utf8(bytes).ok().map(str::to_owned);
    }
    let mut text = String::new();
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        let variant = match bytes[at..] {
            [0xC0, 0x80, ..] => Some(('\0', 2)),
            [
                0xED,
                b1 @ 0xA0..=0xAF,
                b2 @ 0x80..=0xBF,
                0xED,
                b4 @ 0xB0..=0xBF,
                b5 @ 0x80..=0xBF,
                ..,
            ] => {
                let bits = |byte: u8, mask: u8, shift: u32| u32::from(byte & mask) << shift;
                let code =
                    bits(b1, 0x0F, 16) + bits(b2, 0x3F, 10) + bits(b4, 0x0F, 6) + bits(b5, 0x3F, 0);
                char::from_u32(code + 0x1_0000).map(|c| (c, 6))
            }
            _ => None,
        };
        if let Some((c, length)) = variant {
            text.push_str(std::str::from_utf8(&bytes[plain..at]).ok()?);
            text.push(c);
            plain = at + length;
        }
        at += variant.map_or(1, |(_, length)| length);
    }
    text.push_str(std::str::from_utf8(&bytes[plain..]).ok()?);
    Some(text)
}
