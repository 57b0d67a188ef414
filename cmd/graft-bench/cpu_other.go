//go:build !unix

package main

import "os"

// processorTime is not taken on this system.
func processorTime() float64 { return 0 }

// childPeak is not taken on this system.
func childPeak(*os.ProcessState) float64 { return 0 }
