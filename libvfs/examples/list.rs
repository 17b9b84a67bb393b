//! list ARCHIVE FILE: imports a cpio or tar archive, lists its top directory and prints a file: Rust
//! without its standard library, as a kernel would use libvfs.
//!
//! Build: rustc -O -C panic=abort --edition 2021 list.rs $(pkg-config --libs vfs) -l c
#![no_std]
#![no_main]

use core::mem::zeroed;
use core::ptr::{null, null_mut};

type Pointer = *mut u8;

#[repr(C)]
struct Config {
    ctx: Pointer,
    alloc: extern "C" fn(Pointer, usize) -> Pointer,
    free: extern "C" fn(Pointer, Pointer, usize),
    page_alloc: extern "C" fn(Pointer) -> Pointer,
    page_get: Pointer,
    page_put: extern "C" fn(Pointer, Pointer),
    now_unmap_hole_filled_inode_free_late: [Pointer; 5],
    late_above: u32,
    seed: [u64; 2],
    root_limits: [u64; 3],
    root_mode_uid_gid: [u32; 3],
    protected: [u8; 4],
}

#[repr(C)]
struct Cred {
    uid: u32,
    gid: u32,
    caps: u32,
    group_count: u32,
    groups: *const u32,
}

#[repr(C)]
struct Path {
    mount: Pointer,
    dentry: Pointer,
}

#[repr(C)]
struct Task {
    vfs: Pointer,
    cred: *const Cred,
    root: Path,
    cwd: Path,
    umask: u32,
}

#[repr(C)]
struct File {
    path: Path,
    inode: Pointer,
    flags_and_state: [u32; 2],
    offset: u64,
    end_cookie: u64,
    private_data: Pointer,
}

#[repr(C)]
struct ImportError {
    reason: i32,
    error: i32,
    offset: u64,
    entry: u64,
    compression: *const u8,
    name: [u8; 256],
}

type Emit = extern "C" fn(Pointer, *const u8, usize, u64, u32, u64) -> i32;

extern "C" {
    fn umvfs_new(config: *const Config, out: *mut Pointer) -> i32;
    fn umvfs_destroy(vfs: Pointer) -> i32;
    fn umvfs_root(vfs: Pointer, out: *mut Path);
    fn umvfs_path_put(path: *mut Path);
    fn umvfs_import_memory(
        task: *const Task, at: *const Path, path: *const u8, options: *const u8, data: *const u8,
        len: usize, error: *mut ImportError,
    ) -> i32;
    fn umvfs_archive_reason_text(reason: i32) -> *const u8;
    fn umvfs_open(
        task: *const Task, at: *const Path, path: *const u8, flags: u32, mode: u32, resolve: u32,
        out: *mut File,
    ) -> i32;
    fn umvfs_read(file: *mut File, buf: *mut u8, len: usize) -> i64;
    fn umvfs_readdir(file: *mut File, emit: Emit, ctx: Pointer) -> i32;
    fn umvfs_close(file: *mut File);

    fn malloc(size: usize) -> Pointer;
    fn aligned_alloc(align: usize, size: usize) -> Pointer;
    #[link_name = "free"]
    fn libc_free(ptr: Pointer);
    fn open(path: *const u8, flags: i32, ...) -> i32;
    fn lseek(fd: i32, offset: i64, whence: i32) -> i64;
    fn pread(fd: i32, buf: *mut u8, len: usize, offset: i64) -> isize;
    fn printf(format: *const u8, ...) -> i32;
    fn dprintf(fd: i32, format: *const u8, ...) -> i32;
    fn abort() -> !;
}

extern "C" fn alloc(_: Pointer, size: usize) -> Pointer {
    unsafe { malloc(size) }
}

extern "C" fn free(_: Pointer, object: Pointer, _size: usize) {
    unsafe { libc_free(object) }
}

extern "C" fn page_alloc(_: Pointer) -> Pointer {
    unsafe { aligned_alloc(4096, 4096) }
}

extern "C" fn page_put(_: Pointer, page: Pointer) {
    unsafe { libc_free(page) }
}

extern "C" fn print_entry(_: Pointer, name: *const u8, len: usize, _: u64, _: u32, _: u64) -> i32 {
    unsafe { printf(b"%.*s\n\0".as_ptr(), len as i32, name) };
    0
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { abort() }
}

/// Lists the top directory and prints a file.
unsafe fn show(task: &Task, name: *const u8) -> i32 {
    let mut file: File = zeroed();
    if umvfs_open(task, null(), b"/\0".as_ptr(), 0o200000, 0, 0, &mut file) != 0 {
        return 1;
    }
    umvfs_readdir(&mut file, print_entry, null_mut());
    umvfs_close(&mut file);
    if umvfs_open(task, null(), name, 0, 0, 0, &mut file) != 0 {
        return 1;
    }
    let mut piece = [0u8; 512];
    loop {
        let got = umvfs_read(&mut file, piece.as_mut_ptr(), piece.len());
        if got <= 0 {
            break;
        }
        printf(b"%.*s\0".as_ptr(), got as i32, piece.as_ptr());
    }
    umvfs_close(&mut file);
    0
}

#[no_mangle]
pub unsafe extern "C" fn main(argc: i32, argv: *const *const u8) -> i32 {
    let fd = if argc == 3 { open(*argv.add(1), 0) } else { -1 };
    if fd < 0 {
        return 1;
    }
    let size = lseek(fd, 0, 2) as usize;
    let data = malloc(size + 1);
    if data.is_null() || pread(fd, data, size, 0) != size as isize {
        return 1;
    }
    let config = Config {
        ctx: null_mut(), alloc, free, page_alloc, page_get: null_mut(), page_put,
        now_unmap_hole_filled_inode_free_late: [null_mut(); 5], late_above: 0,
        seed: [1, 2], // random, in a program that takes archives from strangers
        root_limits: [0; 3], root_mode_uid_gid: [0; 3], protected: [0; 4],
    };
    let cred = Cred { uid: 0, gid: 0, caps: 0x7f, group_count: 0, groups: null() };
    let mut task: Task = zeroed();
    task.cred = &cred;
    if umvfs_new(&config, &mut task.vfs) != 0 {
        return 1;
    }
    umvfs_root(task.vfs, &mut task.root);
    umvfs_root(task.vfs, &mut task.cwd);
    let mut error: ImportError = zeroed();
    let status = if umvfs_import_memory(&task, null(), b"/\0".as_ptr(), null(), data, size, &mut error) != 0 {
        dprintf(2, b"%s\n\0".as_ptr(), umvfs_archive_reason_text(error.reason));
        1
    } else {
        show(&task, *argv.add(2))
    };
    libc_free(data);
    umvfs_path_put(&mut task.root);
    umvfs_path_put(&mut task.cwd);
    (umvfs_destroy(task.vfs) != 0) as i32 | status
}
