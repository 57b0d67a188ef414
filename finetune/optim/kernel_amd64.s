#include "textflag.h"

// func adamwRun(u *adamUpdate, w, grad, m, v *float32, n int)
// The order of operations is that of adamUpdate.plain, none fused, so that both give the same bits.
TEXT ·adamwRun(SB), NOSPLIT, $0-48
	MOVQ u+0(FP), AX
	MOVQ w+8(FP), DI
	MOVQ grad+16(FP), SI
	MOVQ m+24(FP), BX
	MOVQ v+32(FP), DX
	MOVQ n+40(FP), CX
	VBROADCASTSS 0(AX), Y8   // b1
	VBROADCASTSS 4(AX), Y9   // b2
	VBROADCASTSS 8(AX), Y10  // c2
	VBROADCASTSS 12(AX), Y11 // root
	VBROADCASTSS 16(AX), Y12 // epsilon
	VBROADCASTSS 20(AX), Y13 // rate
	VBROADCASTSS 24(AX), Y14 // shrink
	VBROADCASTSS 28(AX), Y15 // by

adam:
	VMULPS (SI), Y15, Y0
	VMOVUPS (BX), Y1
	VSUBPS Y1, Y0, Y2
	VMULPS Y8, Y2, Y2
	VADDPS Y2, Y1, Y1
	VMOVUPS Y1, (BX)
	VMULPS (DX), Y9, Y3
	VMULPS Y0, Y0, Y0
	VMULPS Y10, Y0, Y0
	VADDPS Y0, Y3, Y3
	VMOVUPS Y3, (DX)
	VSQRTPS Y3, Y3
	VMULPS Y11, Y3, Y3
	VADDPS Y12, Y3, Y3
	VMULPS Y13, Y1, Y1
	VDIVPS Y3, Y1, Y1
	VMULPS (DI), Y14, Y4
	VSUBPS Y1, Y4, Y4
	VMOVUPS Y4, (DI)
	ADDQ $32, SI
	ADDQ $32, BX
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $8, CX
	JNE  adam
	VZEROUPPER
	RET

// func squaresRun(sums *[16]float64, x *float32, n int)
TEXT ·squaresRun(SB), NOSPLIT, $0-24
	MOVQ sums+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VMOVUPD 0(DI), Y4
	VMOVUPD 32(DI), Y5
	VMOVUPD 64(DI), Y6
	VMOVUPD 96(DI), Y7

squares:
	VCVTPS2PD 0(SI), Y0
	VCVTPS2PD 16(SI), Y1
	VCVTPS2PD 32(SI), Y2
	VCVTPS2PD 48(SI), Y3
	VMULPD Y0, Y0, Y0
	VMULPD Y1, Y1, Y1
	VMULPD Y2, Y2, Y2
	VMULPD Y3, Y3, Y3
	VADDPD Y0, Y4, Y4
	VADDPD Y1, Y5, Y5
	VADDPD Y2, Y6, Y6
	VADDPD Y3, Y7, Y7
	ADDQ $64, SI
	SUBQ $16, CX
	JNE  squares
	VMOVUPD Y4, 0(DI)
	VMOVUPD Y5, 32(DI)
	VMOVUPD Y6, 64(DI)
	VMOVUPD Y7, 96(DI)
	VZEROUPPER
	RET

// func scaleRun(x *float32, by float32, n int)
TEXT ·scaleRun(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), DI
	VBROADCASTSS by+8(FP), Y8
	MOVQ n+16(FP), CX

scales:
	VMULPS (DI), Y8, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, DI
	SUBQ $8, CX
	JNE  scales
	VZEROUPPER
	RET
