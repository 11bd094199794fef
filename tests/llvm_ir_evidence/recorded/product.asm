	.text
	.file	"gemm.c"
	.file	0 "." "gemm.c" md5 0xffc4331097d835bdec7bfb4fa8fcfe86
	.globl	kernel_gemm                     # -- Begin function kernel_gemm
	.p2align	4, 0x90
	.type	kernel_gemm,@function
kernel_gemm:                            # @kernel_gemm
.Lfunc_begin0:
	.loc	0 8 0                           # gemm.c:8:0
	.cfi_startproc
# %bb.0:
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset %rbx, -16
	leaq	A(%rip), %rax
	xorl	%ecx, %ecx
	#DEBUG_VALUE: i <- 0
	leaq	B(%rip), %rdx
	leaq	C(%rip), %rsi
.Ltmp0:
	.p2align	4, 0x90
.LBB0_1:                                # =>This Loop Header: Depth=1
                                        #     Child Loop BB0_2 Depth 2
                                        #       Child Loop BB0_3 Depth 3
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	#DEBUG_VALUE: i <- $rcx
	#DEBUG_VALUE: j <- 0
	leaq	(%rcx,%rcx,2), %rdi
	shlq	$9, %rdi
	addq	%rsi, %rdi
	movq	%rdx, %r8
	xorl	%r9d, %r9d
.Ltmp1:
	.p2align	4, 0x90
.LBB0_2:                                #   Parent Loop BB0_1 Depth=1
                                        # =>  This Loop Header: Depth=2
                                        #       Child Loop BB0_3 Depth 3
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	#DEBUG_VALUE: i <- $rcx
	#DEBUG_VALUE: j <- $r9
	.loc	0 11 7 prologue_end             # gemm.c:11:7
	leaq	(%rdi,%r9,8), %r10
	movsd	(%rdi,%r9,8), %xmm2             # xmm2 = mem[0],zero
	.loc	0 11 14 is_stmt 0               # gemm.c:11:14
	mulsd	%xmm1, %xmm2
	movl	$2, %r11d
	#DEBUG_VALUE: k <- 0
	movq	%r8, %rbx
.Ltmp2:
	.p2align	4, 0x90
.LBB0_3:                                #   Parent Loop BB0_1 Depth=1
                                        #     Parent Loop BB0_2 Depth=2
                                        # =>    This Inner Loop Header: Depth=3
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	#DEBUG_VALUE: i <- $rcx
	#DEBUG_VALUE: j <- $r9
	#DEBUG_VALUE: k <- [DW_OP_constu 2, DW_OP_minus, DW_OP_stack_value] $r11
	.loc	0 0 14                          # gemm.c:0:14
	movsd	-16(%rax,%r11,8), %xmm3         # xmm3 = mem[0],zero
.Ltmp3:
	.loc	0 13 23 is_stmt 1               # gemm.c:13:23
	mulsd	%xmm0, %xmm3
	.loc	0 13 16 is_stmt 0               # gemm.c:13:16
	mulsd	(%rbx), %xmm3
	addsd	%xmm2, %xmm3
.Ltmp4:
	#DEBUG_VALUE: k <- [DW_OP_constu 1, DW_OP_minus, DW_OP_stack_value] $r11
	.loc	0 0 16                          # gemm.c:0:16
	movsd	-8(%rax,%r11,8), %xmm4          # xmm4 = mem[0],zero
	.loc	0 13 23                         # gemm.c:13:23
	mulsd	%xmm0, %xmm4
	.loc	0 13 16                         # gemm.c:13:16
	mulsd	1536(%rbx), %xmm4
	addsd	%xmm3, %xmm4
.Ltmp5:
	#DEBUG_VALUE: k <- $r11
	.loc	0 0 16                          # gemm.c:0:16
	movsd	(%rax,%r11,8), %xmm2            # xmm2 = mem[0],zero
	.loc	0 13 23                         # gemm.c:13:23
	mulsd	%xmm0, %xmm2
	.loc	0 13 16                         # gemm.c:13:16
	mulsd	3072(%rbx), %xmm2
	addsd	%xmm4, %xmm2
.Ltmp6:
	#DEBUG_VALUE: k <- [DW_OP_plus_uconst 1, DW_OP_stack_value] $r11
	.loc	0 12 20 is_stmt 1               # gemm.c:12:20
	addq	$3, %r11
.Ltmp7:
	addq	$4608, %rbx                     # imm = 0x1200
	cmpq	$194, %r11
.Ltmp8:
	.loc	0 12 7 is_stmt 0                # gemm.c:12:7
	jne	.LBB0_3
.Ltmp9:
# %bb.4:                                #   in Loop: Header=BB0_2 Depth=2
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	#DEBUG_VALUE: i <- $rcx
	#DEBUG_VALUE: j <- $r9
	.loc	0 13 16 is_stmt 1               # gemm.c:13:16
	movsd	%xmm2, (%r10)
.Ltmp10:
	.loc	0 10 22                         # gemm.c:10:22
	incq	%r9
.Ltmp11:
	#DEBUG_VALUE: j <- $r9
	.loc	0 10 5 is_stmt 0                # gemm.c:10:5
	addq	$8, %r8
.Ltmp12:
	.loc	0 10 18                         # gemm.c:10:18
	cmpq	$192, %r9
.Ltmp13:
	.loc	0 10 5                          # gemm.c:10:5
	jne	.LBB0_2
.Ltmp14:
# %bb.5:                                #   in Loop: Header=BB0_1 Depth=1
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	#DEBUG_VALUE: i <- $rcx
	.loc	0 9 20 is_stmt 1                # gemm.c:9:20
	incq	%rcx
.Ltmp15:
	#DEBUG_VALUE: i <- $rcx
	.loc	0 9 3 is_stmt 0                 # gemm.c:9:3
	addq	$1536, %rax                     # imm = 0x600
.Ltmp16:
	.loc	0 9 16                          # gemm.c:9:16
	cmpq	$192, %rcx
.Ltmp17:
	.loc	0 9 3                           # gemm.c:9:3
	jne	.LBB0_1
.Ltmp18:
# %bb.6:
	#DEBUG_VALUE: kernel_gemm:alpha <- $xmm0
	#DEBUG_VALUE: kernel_gemm:beta <- $xmm1
	.loc	0 15 1 epilogue_begin is_stmt 1 # gemm.c:15:1
	popq	%rbx
	.cfi_def_cfa_offset 8
	retq
.Ltmp19:
.Lfunc_end0:
