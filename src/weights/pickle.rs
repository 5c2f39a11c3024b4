//! Reads the pickle of a checkpoint as data, never as a program.
//!
//! A pickle is a list of instructions for a stack machine, and Python's own reader lets them call
//! anything. This one knows the few instructions and the few names that `torch.save` writes for a
//! state dict; a tensor becomes a note of which storage it views, and every other name ends the
//! reading at once. Values live in flat lists and refer to each other by number, so that neither
//! deep nesting nor cycles cost more than their own bytes.
//!
//! Source: the opcode comments of the standard library's `Lib/pickletools.py`; the names from PyTorch,
//! `torch/_utils.py` and `torch/serialization.py`.

use std::collections::HashMap;

use crate::weights::error::{Fault, printable};

/// The pickle of a public checkpoint has 140 kB.
pub(super) const MAX_PICKLE: u64 = 4 << 20;
/// Values that may wait on the stack or in the memo.
const MAX_VALUES: usize = 1 << 20;
/// Tuples, lists and dicts that may exist.
const MAX_CONTAINERS: usize = 1 << 18;
/// Dimensions of a tensor.
const MAX_DIMS: usize = 8;

/// Element types of PyTorch's storages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TorchDtype {
    F64,
    F32,
    F16,
    BF16,
    /// Anything that isn't a floating-point weight: its name and bytes per element.
    Other(&'static str, u64),
}

impl TorchDtype {
    pub(super) const fn size(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Other(_, size) => size,
        }
    }
}

/// A name that a pickle may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildTensorV2,
    RebuildParameter,
    Storage(TorchDtype),
}

impl Global {
    fn find(module: &str, name: &str) -> Result<Self, Fault> {
        use TorchDtype::{BF16, F16, F32, F64, Other};
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensorV2,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch" | "torch.cuda", kind) => Self::Storage(match kind {
                "DoubleStorage" => F64,
                "FloatStorage" => F32,
                "HalfStorage" => F16,
                "BFloat16Storage" => BF16,
                "LongStorage" => Other("int64", 8),
                "IntStorage" => Other("int32", 4),
                "ShortStorage" => Other("int16", 2),
                "CharStorage" => Other("int8", 1),
                "ByteStorage" => Other("uint8", 1),
                "BoolStorage" => Other("bool", 1),
                _ => return Err(forbidden(module, name)),
            }),
            _ => return Err(forbidden(module, name)),
        })
    }
}

fn forbidden(module: &str, name: &str) -> Fault {
    Fault::ForbiddenGlobal(printable(&format!("{module}.{name}")))
}

/// A value; containers by their number in [`Heap`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(&'a str),
    Bytes,
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

/// A storage that the pickle refers to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StorageRef<'a> {
    pub(super) key: &'a str,
    pub(super) dtype: TorchDtype,
    pub(super) numel: u64,
    /// Elements to skip; older files cut views out of a root storage.
    pub(super) view_offset: u64,
}

/// A tensor: a view of a storage, in elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TensorRef {
    pub(super) storage: usize,
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<u64>,
}

/// Everything that a pickle made.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    pub(super) tuples: Vec<Vec<Value<'a>>>,
    pub(super) lists: Vec<Vec<Value<'a>>>,
    pub(super) dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub(super) storages: Vec<StorageRef<'a>>,
    pub(super) tensors: Vec<TensorRef>,
}

/// A pickle's result.
#[derive(Debug)]
pub(super) struct Unpickled<'a> {
    pub(super) value: Value<'a>,
    pub(super) heap: Heap<'a>,
    /// Bytes that belong to this pickle; another one may follow.
    pub(super) len: usize,
}

/// Reads one pickle from the beginning of `bytes`.
pub(super) fn unpickle(bytes: &[u8]) -> Result<Unpickled<'_>, Fault> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        heap: Heap::default(),
    };
    let value = machine.run()?;
    Ok(Unpickled { value, len: machine.at, heap: machine.heap })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Heap<'a>,
}

fn corrupt(why: &str) -> Fault {
    Fault::Corrupt(format!("its pickle {why}"))
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Value<'a>, Fault> {
        loop {
            let op = self.byte()?;
            if op == b'.' {
                return self.pop();
            }
            self.step(op)?;
            if self.stack.len() > MAX_VALUES
                || self.marks.len() > MAX_VALUES
                || self.memo.len() > MAX_VALUES
                || self.heap.tuples.len() + self.heap.lists.len() + self.heap.dicts.len()
                    > MAX_CONTAINERS
            {
                return Err(Fault::Unsupported(
                    "its pickle holds far more values than a state dict".to_owned(),
                ));
            }
        }
    }

    fn step(&mut self, op: u8) -> Result<(), Fault> {
        match op {
            // Protocol and frame marks carry nothing that is needed.
            0x80 => _ = self.take(1)?,
            0x95 => _ = self.take(8)?,
            b'(' => self.marks.push(self.stack.len()),
            b'0' => _ = self.pop()?,
            b'1' => _ = self.pop_to_mark()?,
            b'2' => {
                let top = self.pop()?;
                self.stack.extend([top, top]);
            }
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'K' => self.int::<1>()?,
            b'M' => self.int::<2>()?,
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.stack.push(Value::Int(number.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                self.take(8)?;
                self.stack.push(Value::Float);
            }
            b'X' => self.text_by::<4>()?,
            0x8c => self.text_by::<1>()?,
            0x8d => self.text_by::<8>()?,
            b'B' => self.bytes_by::<4>()?,
            b'C' => self.bytes_by::<1>()?,
            b'}' => self.new_dict(),
            b']' => self.new_list(Vec::new()),
            b')' => self.new_tuple(Vec::new()),
            b't' => {
                let items = self.pop_to_mark()?;
                self.new_tuple(items);
            }
            0x85..=0x87 => {
                let count = usize::from(op - 0x84);
                let from = self.floor_checked(count)?;
                let items = self.stack.split_off(from);
                self.new_tuple(items);
            }
            b'l' => {
                let items = self.pop_to_mark()?;
                self.new_list(items);
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.new_dict();
                self.set_items(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }
            b'q' => {
                let index = u32::from(self.byte()?);
                self.remember(index)?;
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                self.remember(index)?;
            }
            0x94 => self.remember(self.memo.len() as u32)?,
            b'h' => {
                let index = u32::from(self.byte()?);
                self.recall(index)?;
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)?;
            }
            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.stack.push(Value::Global(Global::find(module, name)?));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) = (module, name) else {
                    return Err(corrupt("names something that is not text"));
                };
                self.stack.push(Value::Global(Global::find(module, name)?));
            }
            b'Q' => self.persistent()?,
            b'R' | 0x81 => self.call()?,
            b'b' => self.build()?,
            other => {
                return Err(corrupt(&format!(
                    "holds the instruction {other:#04x} at byte {}, which no state dict has",
                    self.at - 1
                )));
            }
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let bytes = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes
            .ok_or_else(|| Fault::Truncated("its pickle stops before its end mark".to_owned()))?;
        self.at += count;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let line = self.take(len)?;
        self.take(1)?;
        std::str::from_utf8(line).map_err(|_not_utf8| corrupt("names something that is not text"))
    }

    fn unsigned<const N: usize>(&mut self) -> Result<u64, Fault> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(self.take(N)?);
        Ok(u64::from_le_bytes(wide))
    }

    fn int<const N: usize>(&mut self) -> Result<(), Fault> {
        let number = self.unsigned::<N>()?;
        self.stack.push(Value::Int(number as i64));
        Ok(())
    }

    fn long(&mut self) -> Result<(), Fault> {
        let len = usize::from(self.byte()?);
        let bytes = self.take(len)?;
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let fill = if negative { 0xff } else { 0 };
        let mut wide = [fill; 8];
        let kept = len.min(8);
        wide[..kept].copy_from_slice(&bytes[..kept]);
        let number = i64::from_le_bytes(wide);
        // Python pads a number whose top bit is set with one more byte.
        if bytes[kept..].iter().any(|&byte| byte != fill) || (number < 0) != negative {
            return Err(corrupt("holds a number beyond 64 bits"));
        }
        self.stack.push(Value::Int(number));
        Ok(())
    }

    fn counted<const N: usize>(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.unsigned::<N>()?;
        let len = usize::try_from(len).map_err(|_too_long| corrupt("holds an endless text"))?;
        self.take(len)
    }

    fn text_by<const N: usize>(&mut self) -> Result<(), Fault> {
        let text = std::str::from_utf8(self.counted::<N>()?)
            .map_err(|_not_utf8| corrupt("holds a text that is not UTF-8"))?;
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn bytes_by<const N: usize>(&mut self) -> Result<(), Fault> {
        self.counted::<N>()?;
        self.stack.push(Value::Bytes);
        Ok(())
    }

    /// The height below which nothing may be taken; checks that `count` values stand above it.
    fn floor_checked(&self, count: usize) -> Result<usize, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(from) if from >= floor => Ok(from),
            _ => Err(corrupt("takes a value from an empty stack")),
        }
    }

    fn pop(&mut self) -> Result<Value<'a>, Fault> {
        self.floor_checked(1)?;
        self.stack.pop().ok_or_else(|| corrupt("takes a value from an empty stack"))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, Fault> {
        let mark = self.marks.pop().ok_or_else(|| corrupt("looks for a mark that isn't there"))?;
        if mark > self.stack.len() {
            return Err(corrupt("takes a value from an empty stack"));
        }
        Ok(self.stack.split_off(mark))
    }

    fn new_tuple(&mut self, items: Vec<Value<'a>>) {
        self.stack.push(Value::Tuple(self.heap.tuples.len()));
        self.heap.tuples.push(items);
    }

    fn new_list(&mut self, items: Vec<Value<'a>>) {
        self.stack.push(Value::List(self.heap.lists.len()));
        self.heap.lists.push(items);
    }

    fn new_dict(&mut self) {
        self.stack.push(Value::Dict(self.heap.dicts.len()));
        self.heap.dicts.push(Vec::new());
    }

    fn top(&self) -> Result<Value<'a>, Fault> {
        self.floor_checked(1)?;
        self.stack.last().copied().ok_or_else(|| corrupt("takes a value from an empty stack"))
    }

    fn append(&mut self, items: &[Value<'a>]) -> Result<(), Fault> {
        match self.top()? {
            Value::List(index) => self.heap.lists[index].extend(items),
            _ => return Err(corrupt("appends to something that is not a list")),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<(), Fault> {
        let Value::Dict(index) = self.top()? else {
            return Err(corrupt("sets a key of something that is not a dict"));
        };
        let (pairs, odd) = items.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(corrupt("sets a key without a value"));
        }
        self.heap.dicts[index].extend(pairs.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn remember(&mut self, index: u32) -> Result<(), Fault> {
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), Fault> {
        let value = self.memo.get(&index);
        let value = value.ok_or_else(|| corrupt("recalls a value that it never made"))?;
        self.stack.push(*value);
        Ok(())
    }

    fn tuple(&self, value: Value<'a>) -> Result<&[Value<'a>], Fault> {
        match value {
            Value::Tuple(index) => Ok(&self.heap.tuples[index]),
            _ => Err(corrupt("gives something other than a tuple of arguments")),
        }
    }

    /// `("storage", type, key, location, elements[, view])` stands for a storage. The location, a
    /// device of the machine that wrote the file, doesn't matter.
    fn persistent(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let storage = match *self.tuple(id)? {
            [
                Value::Text("storage"),
                Value::Global(Global::Storage(dtype)),
                Value::Text(key),
                Value::Text(_),
                Value::Int(numel),
                ref view @ ..,
            ] => StorageRef {
                key,
                dtype,
                numel: u64::try_from(numel)
                    .map_err(|_negative| corrupt("claims a storage of negative size"))?,
                view_offset: match *view {
                    [] | [Value::None] => 0,
                    [view] => match *self.tuple(view)? {
                        [Value::Text(_), Value::Int(offset), Value::Int(_)] => {
                            u64::try_from(offset)
                                .map_err(|_negative| corrupt("views before a storage's start"))?
                        }
                        _ => return Err(corrupt("describes a storage in an unknown way")),
                    },
                    _ => return Err(corrupt("describes a storage in an unknown way")),
                },
            },
            _ => return Err(corrupt("describes a storage in an unknown way")),
        };
        self.stack.push(Value::Storage(self.heap.storages.len()));
        self.heap.storages.push(storage);
        Ok(())
    }

    fn call(&mut self) -> Result<(), Fault> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let Value::Global(callee) = callee else {
            return Err(corrupt("calls something that is not a function"));
        };
        let arguments = self.tuple(arguments)?.to_vec();
        match (callee, arguments.as_slice()) {
            (Global::OrderedDict, []) => self.new_dict(),
            (Global::RebuildTensorV2, &[storage, offset, shape, strides, ..])
            | (Global::RebuildTensor, &[storage, offset, shape, strides]) => {
                self.tensor(storage, offset, shape, strides)?;
            }
            (Global::RebuildParameter, &[tensor @ Value::Tensor(_), ..]) => self.stack.push(tensor),
            _ => return Err(corrupt("calls a function with other arguments than it takes")),
        }
        Ok(())
    }

    fn tensor(
        &mut self,
        storage: Value<'a>,
        offset: Value<'a>,
        shape: Value<'a>,
        strides: Value<'a>,
    ) -> Result<(), Fault> {
        let odd = || corrupt("describes a tensor in an unknown way");
        let (Value::Storage(storage), Value::Int(offset)) = (storage, offset) else {
            return Err(odd());
        };
        let numbers = |value| -> Result<Vec<u64>, Fault> {
            let items = self.tuple(value)?;
            if items.len() > MAX_DIMS {
                return Err(corrupt("describes a tensor of too many dimensions"));
            }
            let number = |item: &Value<'a>| match *item {
                Value::Int(number) => u64::try_from(number).ok(),
                _ => None,
            };
            items.iter().map(number).collect::<Option<_>>().ok_or_else(odd)
        };
        let shape = numbers(shape)?;
        let strides = numbers(strides)?;
        if shape.len() != strides.len() {
            return Err(odd());
        }
        let tensor = TensorRef {
            storage,
            offset: u64::try_from(offset).map_err(|_negative| odd())?,
            shape: shape
                .into_iter()
                .map(usize::try_from)
                .collect::<Result<_, _>>()
                .map_err(|_too_large| odd())?,
            strides,
        };
        self.stack.push(Value::Tensor(self.heap.tensors.len()));
        self.heap.tensors.push(tensor);
        Ok(())
    }

    /// State dicts carry their modules' versions as an attribute; it is of no use here.
    fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            _ => Err(corrupt("sets attributes of something that has none")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> String {
        format!("{:?}", unpickle(bytes).unwrap_err())
    }

    #[test]
    fn plain_values_are_read() {
        let read =
            unpickle(b"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x07X\x01\x00\x00\x00b\x88u.").unwrap();
        assert_eq!(read.value, Value::Dict(0));
        assert_eq!(
            read.heap.dicts[0],
            [(Value::Text("a"), Value::Int(7)), (Value::Text("b"), Value::Bool(true))]
        );
    }

    #[test]
    fn every_way_to_name_a_function_is_guarded() {
        assert!(fault(b"\x80\x02cos\nsystem\n.").contains("ForbiddenGlobal(\"os.system\")"));
        assert!(fault(b"\x80\x04\x8c\x05posix\x8c\x06system\x93.").contains("posix.system"));
        assert!(fault(b"cbuiltins\neval\n.").contains("builtins.eval"));
        assert!(fault(b"ctorch\nload\n.").contains("torch.load"));
        // The older instructions that call by themselves are not known at all.
        assert!(fault(b"(ios\nsystem\n.").contains("Corrupt"));
        assert!(fault(b"\x82\x01.").contains("Corrupt"));
    }

    #[test]
    fn underflow_marks_and_cycles_are_harmless() {
        assert!(fault(b"\x80\x02R.").contains("empty stack"));
        assert!(fault(b"(0.").contains("empty stack"));
        assert!(fault(b"t.").contains("mark"));
        assert!(fault(b"h\x05.").contains("never made"));
        // A list that holds itself.
        unpickle(b"]q\x00h\x00a.").unwrap();
        // A tuple nested as deep as the limit lets it be.
        let mut deep = vec![b')'];
        deep.extend(std::iter::repeat_n(0x85, 200_000));
        deep.push(b'.');
        unpickle(&deep).unwrap();
        deep.extend_from_within(..);
        deep.retain(|&byte| byte != b'.');
        deep.push(b'.');
        assert!(fault(&deep).contains("far more values"));
    }

    #[test]
    fn a_text_longer_than_the_file_is_not_allocated() {
        assert!(fault(b"X\xff\xff\xff\x7fabc").contains("Truncated"));
        assert!(fault(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc").contains("Truncated"));
    }
}
