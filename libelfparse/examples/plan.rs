//! Prints what a loader would map of the program named on the command line, as plan.c does: Rust
//! without its standard library, as a kernel would use libelfparse.
//!
//! Build: rustc -O -C panic=abort --edition 2021 plan.rs $(pkg-config --libs elfparse) -l c
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use core::ptr;

#[repr(C)]
struct Reader {
    read: extern "C" fn(*mut i32, u64, *mut u8, usize) -> i32,
    ctx: *mut i32,
    size: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Range {
    vaddr: u64,
    size: u64,
    offset: u64,
    file_bytes: u64,
    prot: u32,
    segment: u16,
    kind: u16,
}

#[repr(C)]
struct Storage {
    scratch: *mut u8,
    scratch_size: usize,
    ranges: *mut Range,
    range_capacity: u32,
}

#[repr(C)]
struct Interp {
    path: *const u8,
    offset: u64,
    size: u64,
}

#[repr(C)]
struct Plan {
    entry: u64,
    start: u64,
    end: u64,
    align: u64,
    bias: u64,
    memory: u64,
    phdr_vaddr: u64,
    ranges: *const Range,
    range_count: u32,
    load_count: u32,
    type_and_phnum: [u16; 2],
    traits_features_stack_flags: [u32; 3],
    stack_size: u64,
    interp: Interp,
    tls: [u64; 5],
    relro: [u64; 2],
    dynamic: [u64; 2],
    build_id: [u64; 2],
}

#[repr(C)]
struct Error {
    code: i32,
    rule: u32,
    phdr: [u32; 2],
    offset: u64,
    expected: u64,
    found: u64,
}

#[repr(C)]
struct Policy {
    _private: [u8; 0],
}

extern "C" {
    static elfparse_policy_linux_compat: Policy;
    fn elfparse_plan_make(
        reader: *const Reader, policy: *const Policy, storage: *const Storage, plan: *mut Plan,
        error: *mut Error,
    ) -> i32;
    fn elfparse_error_format(error: *const Error, buf: *mut u8, size: usize) -> usize;

    fn open(path: *const u8, flags: i32, ...) -> i32;
    fn lseek(fd: i32, offset: i64, whence: i32) -> i64;
    fn pread(fd: i32, buf: *mut u8, len: usize, offset: i64) -> isize;
    fn printf(format: *const u8, ...) -> i32;
    fn dprintf(fd: i32, format: *const u8, ...) -> i32;
    fn abort() -> !;
}

extern "C" fn read(fd: *mut i32, offset: u64, buf: *mut u8, len: usize) -> i32 {
    if unsafe { pread(*fd, buf, len, offset as i64) } == len as isize { 0 } else { -1 }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { abort() }
}

#[no_mangle]
pub unsafe extern "C" fn main(argc: i32, argv: *const *const u8) -> i32 {
    let mut fd = if argc == 2 { open(*argv.add(1), 0) } else { -1 };
    if fd < 0 {
        return 1;
    }
    let reader = Reader { read, ctx: &mut fd, size: lseek(fd, 0, 2) as u64 };
    let mut scratch = [0u8; 64 + 128 * 56 + 4096 + 64];
    let mut ranges = MaybeUninit::<[Range; 192]>::uninit();
    let storage = Storage {
        scratch: scratch.as_mut_ptr(),
        scratch_size: scratch.len(),
        ranges: ranges.as_mut_ptr() as *mut Range,
        range_capacity: 192,
    };
    let mut plan = MaybeUninit::<Plan>::uninit();
    let mut error = MaybeUninit::<Error>::uninit();
    if elfparse_plan_make(&reader, ptr::addr_of!(elfparse_policy_linux_compat), &storage,
                          plan.as_mut_ptr(), error.as_mut_ptr()) != 0 {
        let mut text = [0u8; 320];
        elfparse_error_format(error.as_ptr(), text.as_mut_ptr(), text.len());
        dprintf(2, b"%s: %s\n\0".as_ptr(), *argv.add(1), text.as_ptr());
        return 1;
    }
    let plan = plan.assume_init();
    for range in core::slice::from_raw_parts(plan.ranges, plan.range_count as usize) {
        printf(b"map %#llx, %llu bytes, %llu of them from offset %llu\n\0".as_ptr(), range.vaddr,
               range.size, range.file_bytes, range.offset);
    }
    0
}
