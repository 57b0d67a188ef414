package ort

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A binary is what a shared library's headers say about it. Nothing is loaded to find out.
type binaryInfo struct {
	os, arch string // as GOOS and GOARCH; arch is the machine's own name where Go has none
	version  string // "1.30.0", or "" where the file does not say
}

// errTruncated marks a file that is shorter than its own headers say.
var errTruncated = errors.New("the file is cut short")

// inspect reads the headers of a shared library. A file that is none, or is cut short, is an error.
func inspect(path string) (binaryInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return binaryInfo{}, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return binaryInfo{}, err
	}
	if !stat.Mode().IsRegular() {
		return binaryInfo{}, fmt.Errorf("%s is not a file", path)
	}
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil {
		return binaryInfo{}, errTruncated
	}
	for _, format := range formats {
		for _, m := range format.magic {
			if bytes.HasPrefix(magic[:], []byte(m)) {
				info, err := format.read(f, stat.Size())
				if err == nil && info.version == "" {
					info.version = versionInName(path)
				}
				return info, err
			}
		}
	}
	return binaryInfo{}, errors.New("neither ELF, Mach-O nor PE")
}

// formats are the executable formats, known by their first bytes.
var formats = []struct {
	magic []string
	read  func(r io.ReaderAt, size int64) (binaryInfo, error)
}{
	{[]string{elf.ELFMAG}, readELF},
	{[]string{"\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"}, readMachO},
	{[]string{"MZ"}, readPE},
}

// elfVersion matches the symbol version every ONNX Runtime library for Linux defines.
var elfVersion = regexp.MustCompile(`^VERS_(\d+\.\d+\.\d+)$`)

func readELF(r io.ReaderAt, size int64) (binaryInfo, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return binaryInfo{}, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Filesz > 0 && p.Off+p.Filesz > uint64(size) {
			return binaryInfo{}, errTruncated
		}
	}
	arch := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
	if arch == "" {
		arch = strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
	}
	info := binaryInfo{os: "linux", arch: arch}
	versions, err := f.DynamicVersions()
	if err != nil {
		return info, nil // no symbol versions: says nothing of ours
	}
	for _, v := range versions {
		if m := elfVersion.FindStringSubmatch(v.Name); m != nil {
			info.version = m[1]
		}
	}
	return info, nil
}

func readMachO(r io.ReaderAt, size int64) (binaryInfo, error) {
	if fat, err := macho.NewFatFile(r); err == nil {
		defer fat.Close()
		best := fat.Arches[0]
		for _, a := range fat.Arches {
			if machoArch(a.Cpu) == targetArch {
				best = a
			}
		}
		return machoInfo(best.File, int64(best.Size))
	}
	f, err := macho.NewFile(r)
	if err != nil {
		return binaryInfo{}, err
	}
	defer f.Close()
	return machoInfo(f, size)
}

func machoArch(cpu macho.Cpu) string {
	switch cpu {
	case macho.CpuAmd64:
		return "amd64"
	case macho.CpuArm64:
		return "arm64"
	}
	return strings.ToLower(strings.TrimPrefix(cpu.String(), "Cpu"))
}

func machoInfo(f *macho.File, size int64) (binaryInfo, error) {
	info := binaryInfo{os: "darwin", arch: machoArch(f.Cpu)}
	for _, load := range f.Loads {
		if s, ok := load.(*macho.Segment); ok && s.Offset+s.Filesz > uint64(size) {
			return binaryInfo{}, errTruncated
		}
		const idDylib = 0xd // LC_ID_DYLIB: the library's own name and version
		raw := load.Raw()
		if len(raw) >= 20 && f.ByteOrder.Uint32(raw) == idDylib {
			v := f.ByteOrder.Uint32(raw[16:])
			info.version = fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
		}
	}
	return info, nil
}

func readPE(r io.ReaderAt, size int64) (binaryInfo, error) {
	f, err := pe.NewFile(r)
	if err != nil {
		return binaryInfo{}, err
	}
	defer f.Close()
	arch := map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}[f.Machine]
	if arch == "" {
		arch = fmt.Sprintf("machine %#x", f.Machine)
	}
	info := binaryInfo{os: "windows", arch: arch}
	for _, s := range f.Sections {
		if int64(s.Offset)+int64(s.Size) > size {
			return binaryInfo{}, errTruncated
		}
		if s.Name == ".rsrc" {
			if data, err := s.Data(); err == nil {
				info.version = resourceVersion(data)
			}
		}
	}
	return info, nil
}

// resourceVersion finds the fixed part of a version resource (VS_FIXEDFILEINFO) and returns the first two numbers of its
// file version; those after them are ONNX Runtime's build date.
func resourceVersion(data []byte) string {
	i := bytes.Index(data, []byte{0xbd, 0x04, 0xef, 0xfe})
	if i < 0 || i+12 > len(data) {
		return ""
	}
	v := binary.LittleEndian.Uint32(data[i+8:])
	return fmt.Sprintf("%d.%d", v>>16, v&0xffff)
}

var nameVersion = regexp.MustCompile(`\d+\.\d+\.\d+`)

// versionInName reads a version out of a library's file name or that of what it links to.
func versionInName(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return nameVersion.FindString(filepath.Base(path))
}
