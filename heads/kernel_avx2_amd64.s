#include "textflag.h"

// AVX2 forms of the kernels; kernel_amd64.go states what they compute.

// Rows 0 to 3 of a, at SI + row·R8: R12 stands at row 3.
#define ROW0 (SI)
#define ROW1 (SI)(R8*1)
#define ROW2 (SI)(R8*2)
#define ROW3 (R12)
#define HIGH0 32(SI)
#define HIGH1 32(SI)(R8*1)
#define HIGH2 32(SI)(R8*2)
#define HIGH3 32(R12)

#define ZERO(y) VPXOR y, y, y

// func tile4x16(c *float32, ldc int, a *float32, row, col int, b *float32, ldb, inner int)
TEXT ·tile4x16(SB), NOSPLIT, $0-64
	MOVQ c+0(FP), DI
	MOVQ ldc+8(FP), R11
	MOVQ a+16(FP), SI
	MOVQ row+24(FP), R8
	MOVQ col+32(FP), R9
	MOVQ b+40(FP), BX
	MOVQ ldb+48(FP), R10
	MOVQ inner+56(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	SHLQ $2, R11
	LEAQ (SI)(R8*2), R12
	ADDQ R8, R12
	ZERO(Y0)
	ZERO(Y1)
	ZERO(Y2)
	ZERO(Y3)
	ZERO(Y4)
	ZERO(Y5)
	ZERO(Y6)
	ZERO(Y7)

#define STEP(from, y0, y1) \
	VBROADCASTSS from, Y10; \
	VFMADD231PS  Y8, Y10, y0; \
	VFMADD231PS  Y9, Y10, y1

loop:
	VMOVUPS (BX), Y8
	VMOVUPS 32(BX), Y9
	STEP(ROW0, Y0, Y1)
	STEP(ROW1, Y2, Y3)
	STEP(ROW2, Y4, Y5)
	STEP(ROW3, Y6, Y7)
	ADDQ R9, SI
	ADDQ R9, R12
	ADDQ R10, BX
	DECQ CX
	JNE  loop

#define STORE(y0, y1) \
	VADDPS  (DI), y0, y0; \
	VADDPS  32(DI), y1, y1; \
	VMOVUPS y0, (DI); \
	VMOVUPS y1, 32(DI); \
	ADDQ    R11, DI

	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	VZEROUPPER
	RET

// func tile1x16(c *float32, a *float32, col int, b *float32, ldb, inner int)
TEXT ·tile1x16(SB), NOSPLIT, $0-48
	MOVQ c+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ col+16(FP), R9
	MOVQ b+24(FP), BX
	MOVQ ldb+32(FP), R10
	MOVQ inner+40(FP), CX
	SHLQ $2, R9
	SHLQ $2, R10
	ZERO(Y0)
	ZERO(Y1)

loop1:
	VBROADCASTSS (SI), Y10
	VFMADD231PS (BX), Y10, Y0
	VFMADD231PS 32(BX), Y10, Y1
	ADDQ R9, SI
	ADDQ R10, BX
	DECQ CX
	JNE  loop1
	VADDPS  (DI), Y0, Y0
	VADDPS  32(DI), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// Adds up the sixteen lanes of y0 and y1 pairwise from half the distance on, and the result to (DI).
#define SUM_LANES(y0, y1, x0) \
	VADDPS       y1, y0, y0; \
	VEXTRACTF128 $1, y0, X9; \
	VADDPS       X9, x0, x0; \
	VPERMILPS    $0x0e, x0, X9; \
	VADDPS       X9, x0, x0; \
	VPERMILPS    $0x01, x0, X9; \
	VADDSS       X9, x0, x0; \
	VADDSS       (DI), x0, x0; \
	VMOVSS       x0, (DI); \
	ADDQ         $4, DI

// func dot4(z *float32, x *float32, ld int, w *float32, n int)
TEXT ·dot4(SB), NOSPLIT, $0-40
	MOVQ z+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ w+24(FP), BX
	MOVQ n+32(FP), CX
	SHLQ $2, R8
	LEAQ (SI)(R8*2), R12
	ADDQ R8, R12
	ZERO(Y0)
	ZERO(Y1)
	ZERO(Y2)
	ZERO(Y3)
	ZERO(Y4)
	ZERO(Y5)
	ZERO(Y6)
	ZERO(Y7)

dotloop:
	VMOVUPS (BX), Y8
	VFMADD231PS ROW0, Y8, Y0
	VFMADD231PS ROW1, Y8, Y2
	VFMADD231PS ROW2, Y8, Y4
	VFMADD231PS ROW3, Y8, Y6
	VMOVUPS 32(BX), Y9
	VFMADD231PS HIGH0, Y9, Y1
	VFMADD231PS HIGH1, Y9, Y3
	VFMADD231PS HIGH2, Y9, Y5
	VFMADD231PS HIGH3, Y9, Y7
	ADDQ $64, BX
	ADDQ $64, SI
	ADDQ $64, R12
	SUBQ $16, CX
	JNE  dotloop
	SUM_LANES(Y0, Y1, X0)
	SUM_LANES(Y2, Y3, X2)
	SUM_LANES(Y4, Y5, X4)
	SUM_LANES(Y6, Y7, X6)
	VZEROUPPER
	RET

// func dot1(z *float32, x *float32, w *float32, n int)
TEXT ·dot1(SB), NOSPLIT, $0-32
	MOVQ z+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ w+16(FP), BX
	MOVQ n+24(FP), CX
	ZERO(Y0)
	ZERO(Y1)

dot1loop:
	VMOVUPS (BX), Y8
	VMOVUPS 32(BX), Y10
	VFMADD231PS (SI), Y8, Y0
	VFMADD231PS 32(SI), Y10, Y1
	ADDQ $64, BX
	ADDQ $64, SI
	SUBQ $16, CX
	JNE  dot1loop
	SUM_LANES(Y0, Y1, X0)
	VZEROUPPER
	RET

// func axpy4(sum *float32, x *float32, ld int, r *float32, n int)
TEXT ·axpy4(SB), NOSPLIT, $0-40
	MOVQ sum+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ r+24(FP), BX
	MOVQ n+32(FP), CX
	SHLQ $2, R8
	LEAQ (SI)(R8*2), R12
	ADDQ R8, R12
	VBROADCASTSS (BX), Y12
	VBROADCASTSS 4(BX), Y13
	VBROADCASTSS 8(BX), Y14
	VBROADCASTSS 12(BX), Y15

axpyloop:
	VMOVUPS (DI), Y0
	VFMADD231PS ROW0, Y12, Y0
	VFMADD231PS ROW1, Y13, Y0
	VFMADD231PS ROW2, Y14, Y0
	VFMADD231PS ROW3, Y15, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, R12
	SUBQ $8, CX
	JNE  axpyloop
	VZEROUPPER
	RET

// func axpy1(sum *float32, x *float32, r float32, n int)
TEXT ·axpy1(SB), NOSPLIT, $0-32
	MOVQ sum+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSS r+16(FP), Y12

axpy1loop:
	VMOVUPS (DI), Y0
	VFMADD231PS (SI), Y12, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	SUBQ $8, CX
	JNE  axpy1loop
	VZEROUPPER
	RET

// func pack16(to *float32, x *float32, ld, rows int)
TEXT ·pack16(SB), NOSPLIT, $0-32
	MOVQ to+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ rows+24(FP), CX
	SHLQ $2, R8

packloop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ R8, SI
	ADDQ $64, DI
	DECQ CX
	JNE  packloop
	VZEROUPPER
	RET

// func widenAll(to *float64, from *float32, n int)
TEXT ·widenAll(SB), NOSPLIT, $0-24
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ n+16(FP), CX

widenloop:
	VCVTPS2PD (SI), Y0
	VCVTPS2PD 16(SI), Y1
	VADDPD (DI), Y0, Y0
	VADDPD 32(DI), Y1, Y1
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	ADDQ $32, SI
	ADDQ $64, DI
	SUBQ $8, CX
	JNE  widenloop
	VZEROUPPER
	RET
