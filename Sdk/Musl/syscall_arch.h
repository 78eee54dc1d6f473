/*
 * Takes the place of musl's arch/x86_64/syscall_arch.h in the "gate" flavour of libc: a system call is a call of the kernel's gate in the
 * same image instead of the SYSCALL instruction. Source of truth: the x86-64 psABI, appendix A.2.1 (number in rax; arguments in rdi, rsi,
 * rdx, r10, r8, r9; result in rax) and musl's contract for this header (__syscall0 to __syscall6 and the vDSO names).
 *
 * The gate may destroy every register that a C function may: rcx, rdx, rsi, rdi, r8 to r11, the flags and every xmm register; libc is built with
 * -mno-red-zone, because the call pushes. Only SSE2 is named below: libc is compiled for the baseline, so no wider register is live across the call.
 */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

#define UKL_GATE "call ukl_syscall_gate"

#define UKL_GATE_CLOBBERS                                                                                                              \
	"rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",   \
		"xmm12", "xmm13", "xmm14", "xmm15"

static __inline long __syscall0(long n)
{
	__asm__ __volatile__(UKL_GATE : "+a"(n) : : UKL_GATE_CLOBBERS, "rdi", "rsi", "rdx", "r10", "r8", "r9");
	return n;
}

static __inline long __syscall1(long n, long a1)
{
	__asm__ __volatile__(UKL_GATE : "+a"(n), "+D"(a1) : : UKL_GATE_CLOBBERS, "rsi", "rdx", "r10", "r8", "r9");
	return n;
}

static __inline long __syscall2(long n, long a1, long a2)
{
	__asm__ __volatile__(UKL_GATE : "+a"(n), "+D"(a1), "+S"(a2) : : UKL_GATE_CLOBBERS, "rdx", "r10", "r8", "r9");
	return n;
}

static __inline long __syscall3(long n, long a1, long a2, long a3)
{
	__asm__ __volatile__(UKL_GATE : "+a"(n), "+D"(a1), "+S"(a2), "+d"(a3) : : UKL_GATE_CLOBBERS, "r10", "r8", "r9");
	return n;
}

static __inline long __syscall4(long n, long a1, long a2, long a3, long a4)
{
	register long r10 __asm__("r10") = a4;
	__asm__ __volatile__(UKL_GATE : "+a"(n), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10) : : UKL_GATE_CLOBBERS, "r8", "r9");
	return n;
}

static __inline long __syscall5(long n, long a1, long a2, long a3, long a4, long a5)
{
	register long r10 __asm__("r10") = a4;
	register long r8 __asm__("r8") = a5;
	__asm__ __volatile__(UKL_GATE : "+a"(n), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8) : : UKL_GATE_CLOBBERS, "r9");
	return n;
}

static __inline long __syscall6(long n, long a1, long a2, long a3, long a4, long a5, long a6)
{
	register long r10 __asm__("r10") = a4;
	register long r8 __asm__("r8") = a5;
	register long r9 __asm__("r9") = a6;
	__asm__ __volatile__(UKL_GATE : "+a"(n), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8), "+r"(r9) : : UKL_GATE_CLOBBERS);
	return n;
}

#define VDSO_USEFUL
#define VDSO_CGT_SYM "__vdso_clock_gettime"
#define VDSO_CGT_VER "LINUX_2.6"
#define VDSO_GETCPU_SYM "__vdso_getcpu"
#define VDSO_GETCPU_VER "LINUX_2.6"

#define IPC_64 0
