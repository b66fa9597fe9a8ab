//! From bytes, as they arrive, to records: RFC 4180, with the separators that spreadsheets use.
//!
//! What is held is one record at a time, and a record has a largest size; so an unclosed quote
//! costs the rows that it swallows, but no memory.

use crate::problem::Problem;
use sha2::{Digest, Sha256};

/// Largest record, and so the most that an unclosed quote can fill.
const LARGEST: usize = 256 * 1024;
const MOST_FIELDS: usize = 1_000;
/// Longest first line.
const LONGEST_HEADER: usize = 64 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What is wrong with a record as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    TooLarge,
    UnclosedQuote,
}

/// One record of the file.
#[derive(Debug)]
pub(super) struct Record {
    /// The line on which it begins, the first being 1.
    pub line: i64,
    bytes: Box<[u8]>,
    ends: Box<[usize]>,
    pub broken: Option<Broken>,
}

impl Record {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub fn field(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        self.bytes.get(start..end)
    }

    /// Spreadsheets leave rows of nothing but separators behind.
    pub fn is_blank(&self) -> bool {
        self.broken.is_none() && self.bytes.is_empty()
    }
}

/// The start of a file: enough of it to know how the rest is to be read.
#[derive(Default)]
pub(super) struct Opening(Vec<u8>);

impl Opening {
    /// Takes bytes; true when there are enough.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        self.0.extend_from_slice(bytes);
        self.0.len() >= LONGEST_HEADER || first_line(&self.0).len() < self.0.len()
    }

    /// A reader that has passed the byte order mark, and the bytes that it has to be fed first.
    ///
    /// # Errors
    /// 422 when the bytes are certainly not CSV in UTF-8.
    pub fn reader(self) -> Result<(Reader, Vec<u8>), Problem> {
        let bytes = self.0;
        let wide = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
        let line = first_line(&bytes);
        if wide || line.contains(&0) || std::str::from_utf8(line).is_err() {
            let detail = "the file is not UTF-8 text; save it as \"CSV UTF-8\"";
            return Err(Problem::rule("wrong_encoding", detail));
        }
        if line.len() >= LONGEST_HEADER {
            let detail = format!("the first line must name the columns, in at most {LONGEST_HEADER} bytes");
            return Err(Problem::rule("malformed_header", detail));
        }
        let mut reader = Reader::new(separator(line));
        let rest = match bytes.strip_prefix(BOM) {
            Some(rest) => {
                reader.consume(BOM);
                rest.to_vec()
            }
            None => bytes,
        };
        Ok((reader, rest))
    }
}

/// Up to the first line break outside of quotes, or everything.
fn first_line(bytes: &[u8]) -> &[u8] {
    let mut quoted = false;
    let end = bytes.iter().position(|byte| {
        quoted ^= *byte == b'"';
        !quoted && matches!(byte, b'\n' | b'\r')
    });
    &bytes[..end.unwrap_or(bytes.len())]
}

/// What separates the names in the first line: comma, semicolon or tab.
fn separator(line: &[u8]) -> u8 {
    let count = |separator: u8| {
        let mut quoted = false;
        line.iter()
            .filter(|byte| {
                quoted ^= **byte == b'"';
                !quoted && **byte == separator
            })
            .count()
    };
    let (comma, semicolon, tab) = (count(b','), count(b';'), count(b'\t'));
    match () {
        () if semicolon > comma && semicolon >= tab => b';',
        () if tab > comma => b'\t',
        () => b',',
    }
}

/// Takes bytes and gives records.
pub(super) struct Reader {
    core: csv_core::Reader,
    hasher: Sha256,
    /// Bytes taken so far.
    position: i64,
    /// The line of the next byte.
    line: i64,
    bytes: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    ended: usize,
    /// The line on which the record began that is being read.
    within: Option<i64>,
    too_large: bool,
}

impl Reader {
    fn new(separator: u8) -> Self {
        Reader {
            core: csv_core::ReaderBuilder::new().delimiter(separator).build(),
            hasher: Sha256::new(),
            position: 0,
            line: 1,
            bytes: vec![0; 4 * 1024],
            filled: 0,
            ends: vec![0; MOST_FIELDS],
            ended: 0,
            within: None,
            too_large: false,
        }
    }

    /// How many bytes were taken, and their digest. After [`Reader::next`] gave a record, these are
    /// the bytes up to its end.
    pub fn checkpoint(&self) -> (i64, [u8; 32]) {
        (self.position, self.hasher.clone().finalize().into())
    }

    fn consume(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.position += bytes.len() as i64;
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as i64;
    }

    /// The next record, or `None` when more input is needed. Takes from `input` what it has used.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Record> {
        while !input.is_empty() {
            if self.within.is_none() {
                let breaks = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                self.take(input, breaks);
                if input.is_empty() {
                    return None;
                }
                self.within = Some(self.line);
            }
            let (result, used, filled, ended) =
                self.core
                    .read_record(input, &mut self.bytes[self.filled..], &mut self.ends[self.ended..]);
            self.take(input, used);
            (self.filled, self.ended) = (self.filled + filled, self.ended + ended);
            if self.settle(result) {
                return Some(self.record(None));
            }
        }
        None
    }

    fn take(&mut self, input: &mut &[u8], count: usize) {
        let (taken, rest) = input.split_at(count);
        self.consume(taken);
        *input = rest;
    }

    /// Makes room if that is what is missing; true when the record is complete.
    fn settle(&mut self, result: csv_core::ReadRecordResult) -> bool {
        use csv_core::ReadRecordResult::{End, InputEmpty, OutputEndsFull, OutputFull, Record};
        match result {
            Record => return true,
            InputEmpty | End => {}
            OutputFull if self.bytes.len() < LARGEST => self.bytes.resize(self.bytes.len() * 2, 0),
            OutputFull | OutputEndsFull => {
                (self.too_large, self.filled, self.ended) = (true, 0, 0);
            }
        }
        false
    }

    /// The last record, if the file does not end with a line break.
    pub fn finish(&mut self) -> Option<Record> {
        self.within?;
        // Outside of quotes this ends the record; inside it is one more character.
        if self.ends_with(b"\n") {
            return Some(self.record(None));
        }
        while !self.ends_with(b"") {}
        Some(self.record(Some(Broken::UnclosedQuote)))
    }

    fn ends_with(&mut self, mut input: &[u8]) -> bool {
        loop {
            let (result, used, filled, ended) =
                self.core
                    .read_record(input, &mut self.bytes[self.filled..], &mut self.ends[self.ended..]);
            (self.filled, self.ended) = (self.filled + filled, self.ended + ended);
            let over = matches!(result, csv_core::ReadRecordResult::End);
            if self.settle(result) || over {
                return true;
            }
            input = &input[used..];
            if input.is_empty() && used > 0 {
                return false;
            }
        }
    }

    fn record(&mut self, broken: Option<Broken>) -> Record {
        let broken = if self.too_large { Some(Broken::TooLarge) } else { broken };
        let whole = broken.is_none();
        let record = Record {
            line: self.within.take().unwrap_or(self.line),
            bytes: if whole {
                self.bytes[..self.filled].into()
            } else {
                Box::default()
            },
            ends: if whole {
                self.ends[..self.ended].into()
            } else {
                Box::default()
            },
            broken,
        };
        (self.filled, self.ended, self.too_large) = (0, 0, false);
        if self.bytes.len() > 64 * 1024 {
            self.bytes = vec![0; 4 * 1024];
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Rows = Vec<(i64, Vec<String>, Option<Broken>)>;

    /// Reads a file that arrives in pieces of this size.
    fn read(file: &[u8], piece: usize) -> Rows {
        let mut opening = Opening::default();
        let mut pieces = file.chunks(piece);
        for piece in pieces.by_ref() {
            if opening.take(piece) {
                break;
            }
        }
        let (mut reader, start) = opening.reader().unwrap();
        let mut rows = Vec::new();
        let mut feed = |reader: &mut Reader, mut input: &[u8]| {
            while let Some(record) = reader.next(&mut input) {
                rows.push(shown(&record));
            }
        };
        feed(&mut reader, &start);
        pieces.for_each(|piece| feed(&mut reader, piece));
        let last = reader.finish().map(|record| shown(&record));
        rows.extend(last);
        let digest: [u8; 32] = Sha256::digest(file).into();
        assert_eq!(reader.checkpoint(), (file.len() as i64, digest));
        rows
    }

    fn shown(record: &Record) -> (i64, Vec<String>, Option<Broken>) {
        let fields = (0..record.len()).map(|i| String::from_utf8_lossy(record.field(i).unwrap()).into_owned());
        (record.line, fields.collect(), record.broken)
    }

    fn row(line: i64, fields: &[&str]) -> (i64, Vec<String>, Option<Broken>) {
        (line, fields.iter().map(|f| (*f).to_owned()).collect(), None)
    }

    #[test]
    fn reads_what_spreadsheets_write() {
        let files: [(&[u8], Rows); 6] = [
            (b"a,b\n1,2\n", vec![row(1, &["a", "b"]), row(2, &["1", "2"])]),
            (
                b"\xEF\xBB\xBFa;b\r\n1;\"x, \"\"y\"\"\"\r\n\r\n3;4",
                vec![row(1, &["a", "b"]), row(2, &["1", "x, \"y\""]), row(4, &["3", "4"])],
            ),
            (
                b"a\tb\n\"one\ntwo\"\t2\n3\t4\n",
                vec![row(1, &["a", "b"]), row(2, &["one\ntwo", "2"]), row(4, &["3", "4"])],
            ),
            (b"a", vec![row(1, &["a"])]),
            (b"\n\na\n\"\"\n", vec![row(3, &["a"]), row(4, &[""])]),
            (
                b"\"a,\",b;c\n1,2;3\n",
                vec![row(1, &["a,", "b;c"]), row(2, &["1", "2;3"])],
            ),
        ];
        for (file, expected) in files {
            for piece in 1..=file.len() {
                assert_eq!(
                    read(file, piece),
                    expected,
                    "{:?} by {piece}",
                    String::from_utf8_lossy(file)
                );
            }
        }
    }

    #[test]
    fn an_unclosed_quote_and_an_endless_record_cost_no_memory() {
        let unclosed = read(b"a,b\n1,\"2\n3,4\n", 3);
        assert_eq!(unclosed[1], (2, vec![], Some(Broken::UnclosedQuote)));
        assert_eq!(unclosed.len(), 2);
        let mut endless = b"a,b\n1,".to_vec();
        endless.extend(std::iter::repeat_n(b'x', LARGEST + 1));
        endless.extend_from_slice(b"\n2,3\n");
        let rows = read(&endless, 1_000);
        assert_eq!(rows[1], (2, vec![], Some(Broken::TooLarge)));
        assert_eq!(rows[2], row(3, &["2", "3"]));
        let mut wide = b"a,b\n".to_vec();
        wide.extend(std::iter::repeat_n(b',', MOST_FIELDS + 5));
        wide.extend_from_slice(b"\n2,3\n");
        let rows = read(&wide, 7);
        assert_eq!(rows[1], (2, vec![], Some(Broken::TooLarge)));
        assert_eq!(rows[2], row(3, &["2", "3"]));
    }

    #[test]
    fn what_is_not_utf_8_is_refused_by_its_start() {
        for start in [&b"\xFF\xFEa\0"[..], b"\xFE\xFF\0a", b"a\0b\n", b"caf\xE9,b\n"] {
            let mut opening = Opening::default();
            opening.take(start);
            let refused = opening.reader().err().map(|problem| problem.code);
            assert_eq!(refused.as_deref(), Some("wrong_encoding"), "{start:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(rows in proptest::collection::vec(proptest::collection::vec("[a-z\",;\t\r\n ä']{0,6}", 3), 1..6), piece in 1usize..9) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let file = writer.into_inner().unwrap();
            let read: Vec<Vec<String>> = read(&file, piece).into_iter().skip(1).map(|(_, fields, _)| fields).collect();
            prop_assert_eq!(read, rows);
        }
    }
}
