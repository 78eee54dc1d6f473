/*
 * The large-file names (open64 and its kin) that the .NET runtime pack was compiled against. musl's off_t has 64 bits under either name;
 * musl dropped the second names from the static library in 1.2.4. This object is in an archive behind libc.a: where libc still has a name
 * it wins, and --gc-sections drops the forwarders nobody calls. Source of truth: musl 1.2.3, the weak aliases of its src/ folder.
 */
.macro forward name, target
	.section .text.\name, "ax", @progbits
	.weak \name
	.type \name, @function
\name:
	jmp \target
	.size \name, . - \name
.endm

	forward __fxstat64, __fxstat
	forward __lxstat64, __lxstat
	forward __xstat64, __xstat
	forward creat64, creat
	forward fallocate64, fallocate
	forward fopen64, fopen
	forward fstatfs64, fstatfs
	forward ftruncate64, ftruncate
	forward getrlimit64, getrlimit
	forward lseek64, lseek
	forward mkstemps64, mkstemps
	forward mmap64, mmap
	forward open64, open
	forward posix_fadvise64, posix_fadvise
	forward pread64, pread
	forward preadv64, preadv
	forward pwrite64, pwrite
	forward pwritev64, pwritev
	forward readdir64, readdir
	forward sendfile64, sendfile
	forward setrlimit64, setrlimit
	forward statfs64, statfs

	.section .note.GNU-stack, "", @progbits
