#include "textflag.h"

// The exponential is Cephes' expf (S. Moshier): 2^n times a polynomial of degree 7 on ±ln 2 / 2. Arguments are at most 0;
// below −64 the result is 0, which keeps denormal numbers out of the products that follow.

DATA ·expLimit+0(SB)/4, $0xc2800000  // −64
DATA ·expLog2e+0(SB)/4, $0x3fb8aa3b  // 1/ln 2
DATA ·expLn2Hi+0(SB)/4, $0x3f318000  // 0.693359375
DATA ·expLn2Lo+0(SB)/4, $0xb95e8083  // ln 2 − 0.693359375
DATA ·expC0+0(SB)/4, $0x39506967
DATA ·expC1+0(SB)/4, $0x3ab743ce
DATA ·expC2+0(SB)/4, $0x3c088908
DATA ·expC3+0(SB)/4, $0x3d2aa9c1
DATA ·expC4+0(SB)/4, $0x3e2aaaaa
DATA ·expC5+0(SB)/4, $0x3f000000
DATA ·one+0(SB)/4, $0x3f800000
DATA ·two+0(SB)/4, $0x40000000
DATA ·signBit+0(SB)/4, $0x80000000
GLOBL ·expLimit(SB), RODATA|NOPTR, $4
GLOBL ·expLog2e(SB), RODATA|NOPTR, $4
GLOBL ·expLn2Hi(SB), RODATA|NOPTR, $4
GLOBL ·expLn2Lo(SB), RODATA|NOPTR, $4
GLOBL ·expC0(SB), RODATA|NOPTR, $4
GLOBL ·expC1(SB), RODATA|NOPTR, $4
GLOBL ·expC2(SB), RODATA|NOPTR, $4
GLOBL ·expC3(SB), RODATA|NOPTR, $4
GLOBL ·expC4(SB), RODATA|NOPTR, $4
GLOBL ·expC5(SB), RODATA|NOPTR, $4
GLOBL ·one(SB), RODATA|NOPTR, $4
GLOBL ·two(SB), RODATA|NOPTR, $4
GLOBL ·signBit(SB), RODATA|NOPTR, $4

// EXP8 replaces y by exp(y); it uses Y12 to Y15 and finds 1 in Y11.
#define EXP8(y) \
	VBROADCASTSS ·expLimit(SB), Y15; \
	VCMPPS       $13, Y15, y, Y12; \
	VMAXPS       Y15, y, y; \
	VBROADCASTSS ·expLog2e(SB), Y13; \
	VMULPS       Y13, y, Y13; \
	VCVTPS2DQ    Y13, Y14; \
	VCVTDQ2PS    Y14, Y13; \
	VBROADCASTSS ·expLn2Hi(SB), Y15; \
	VFNMADD231PS Y15, Y13, y; \
	VBROADCASTSS ·expLn2Lo(SB), Y15; \
	VFNMADD231PS Y15, Y13, y; \
	VBROADCASTSS ·expC0(SB), Y13; \
	VBROADCASTSS ·expC1(SB), Y15; \
	VFMADD213PS  Y15, y, Y13; \
	VBROADCASTSS ·expC2(SB), Y15; \
	VFMADD213PS  Y15, y, Y13; \
	VBROADCASTSS ·expC3(SB), Y15; \
	VFMADD213PS  Y15, y, Y13; \
	VBROADCASTSS ·expC4(SB), Y15; \
	VFMADD213PS  Y15, y, Y13; \
	VBROADCASTSS ·expC5(SB), Y15; \
	VFMADD213PS  Y15, y, Y13; \
	VMULPS       y, y, Y15; \
	VFMADD213PS  y, Y15, Y13; \
	VADDPS       Y11, Y13, Y13; \
	VPSLLD       $23, Y14, Y14; \
	VPADDD       Y14, Y13, Y13; \
	VANDPS       Y12, Y13, y

// func softmaxRows(z *float32, rows, width int, weight, sum, top *float32)
TEXT ·softmaxRows(SB), NOSPLIT, $0-48
	MOVQ z+0(FP), DI
	MOVQ rows+8(FP), R8
	MOVQ width+16(FP), R9
	MOVQ weight+24(FP), R10
	MOVQ sum+32(FP), R11
	MOVQ top+40(FP), R12
	VBROADCASTSS ·one(SB), Y11

row:
	// the largest, to every lane of Y2
	VMOVUPS (DI), Y0
	MOVQ DI, SI
	MOVQ R9, CX

largest:
	VMAXPS (SI), Y0, Y0
	VMAXPS 32(SI), Y0, Y0
	ADDQ $64, SI
	SUBQ $16, CX
	JNE  largest
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x0e, X0, X1
	VMAXPS X1, X0, X0
	VPERMILPS $0x01, X0, X1
	VMAXPS X1, X0, X0
	VMOVSS X0, (R12)
	VBROADCASTSS X0, Y2

	// exponentials, and their sum in Y3 and Y4
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	MOVQ DI, SI
	MOVQ R9, CX

exponentials:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VSUBPS  Y2, Y0, Y0
	VSUBPS  Y2, Y1, Y1
	EXP8(Y0)
	EXP8(Y1)
	VMOVUPS Y0, (SI)
	VMOVUPS Y1, 32(SI)
	VADDPS  Y0, Y3, Y3
	VADDPS  Y1, Y4, Y4
	ADDQ $64, SI
	SUBQ $16, CX
	JNE  exponentials
	VADDPS Y4, Y3, Y3
	VEXTRACTF128 $1, Y3, X4
	VADDPS X4, X3, X3
	VPERMILPS $0x0e, X3, X4
	VADDPS X4, X3, X3
	VPERMILPS $0x01, X3, X4
	VADDSS X4, X3, X3
	VMOVSS X3, (R11)

	// times weight over sum
	VMOVSS (R10), X5
	VDIVSS X3, X5, X5
	VBROADCASTSS X5, Y5
	MOVQ R9, CX

scale:
	VMULPS (DI), Y5, Y0
	VMULPS 32(DI), Y5, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, DI
	SUBQ $16, CX
	JNE  scale
	ADDQ $4, R10
	ADDQ $4, R11
	ADDQ $4, R12
	DECQ R8
	JNE  row
	VZEROUPPER
	RET

DATA ·seriesC+0(SB)/4, $0x3f800000   // 1
DATA ·seriesC+4(SB)/4, $0x3eaaaaab   // 1/3
DATA ·seriesC+8(SB)/4, $0x3e4ccccd   // 1/5
DATA ·seriesC+12(SB)/4, $0x3e124925  // 1/7
DATA ·seriesC+16(SB)/4, $0x3de38e39  // 1/9
DATA ·seriesC+20(SB)/4, $0x3dba2e8c  // 1/11
DATA ·seriesC+24(SB)/4, $0x3d9d89d9  // 1/13
DATA ·seriesC+28(SB)/4, $0x3d888889  // 1/15
GLOBL ·seriesC(SB), RODATA|NOPTR, $32

// func logisticAll(z, target, weight *float32, n int) (loss float64)
TEXT ·logisticAll(SB), NOSPLIT, $0-40
	MOVQ z+0(FP), DI
	MOVQ target+8(FP), SI
	MOVQ weight+16(FP), BX
	MOVQ n+24(FP), CX
	LEAQ ·seriesC(SB), R8
	VBROADCASTSS ·one(SB), Y11
	VXORPS Y10, Y10, Y10 // losses, in float64
	VXORPS Y9, Y9, Y9

each:
	VMOVUPS (DI), Y0 // z
	VBROADCASTSS ·signBit(SB), Y12
	VORPS Y12, Y0, Y1
	EXP8(Y1)         // e = exp(−|z|)
	VBROADCASTSS ·two(SB), Y3
	VADDPS Y1, Y3, Y3
	VDIVPS Y3, Y1, Y3 // s = e/(2+e): log(1+e) = 2 artanh s = 2s(1 + s²/3 + s⁴/5 + …)
	VMULPS Y3, Y3, Y4
	VBROADCASTSS 28(R8), Y5
	VBROADCASTSS 24(R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VBROADCASTSS 20(R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VBROADCASTSS 16(R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VBROADCASTSS 12(R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VBROADCASTSS 8(R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VBROADCASTSS 4(R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VBROADCASTSS (R8), Y6
	VFMADD213PS Y6, Y4, Y5
	VADDPS Y3, Y3, Y3
	VMULPS Y3, Y5, Y5 // log(1+e)
	VMOVUPS (SI), Y6  // target
	VMOVUPS (BX), Y7  // weight
	VMAXPS Y9, Y0, Y8
	VADDPS Y8, Y5, Y5
	VFNMADD231PS Y0, Y6, Y5
	VMULPS Y7, Y5, Y5
	VEXTRACTF128 $1, Y5, X8
	VCVTPS2PD X5, Y5
	VCVTPS2PD X8, Y8
	VADDPD Y8, Y5, Y5
	VADDPD Y5, Y10, Y10
	VADDPS Y11, Y1, Y3
	VDIVPS Y3, Y11, Y3      // 1/(1+e)
	VMULPS Y3, Y1, Y4       // e/(1+e)
	VBLENDVPS Y0, Y4, Y3, Y3 // the second where z is negative
	VSUBPS Y6, Y3, Y3
	VMULPS Y7, Y3, Y3
	VMOVUPS Y3, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, BX
	SUBQ $8, CX
	JNE  each
	VEXTRACTF128 $1, Y10, X0
	VADDPD X0, X10, X10
	VPERMILPD $1, X10, X0
	VADDSD X0, X10, X10
	VMOVSD X10, loss+32(FP)
	VZEROUPPER
	RET
