package ort

import (
	"fmt"
	"path"
	"strings"
)

// Version is the ONNX Runtime that graft fetches; minVersion is the oldest that serves the C API it needs.
const (
	Version    = "1.30.0"
	minVersion = "1.24.0"
)

// A channel is a way for the library to reach this machine.
type channel string

const (
	viaArchive channel = "release archive"
	viaPip     channel = "pip"
	viaNpm     channel = "npm"
)

// A source is one published package that holds the library for one platform.
type source struct {
	build    build
	os, arch string // GOOS, GOARCH
	via      channel
	name     string // release archive's file name, or the package's name
	platform string // pip's platform tag
	library  string // path inside the package; * stands for any one folder
	sha256   string // of a release archive as a whole; of the library in a package, which differs from Python to Python
}

const (
	releases     = "https://github.com/microsoft/onnxruntime/releases/download/v" + Version + "/"
	archiveLinux = "*/lib/libonnxruntime.so." + Version
	archiveMac   = "*/lib/libonnxruntime." + Version + ".dylib"
	archiveWin   = "*/lib/onnxruntime.dll"
	wheelLinux   = "onnxruntime/capi/libonnxruntime.so." + Version
	wheelMac     = "onnxruntime/capi/libonnxruntime." + Version + ".dylib"
	wheelWin     = "onnxruntime/capi/onnxruntime.dll"
	nodeLinuxX64 = "package/bin/napi-v6/linux/x64/libonnxruntime.so.1"
	nodeLinuxARM = "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1"
	nodeMac      = "package/bin/napi-v6/darwin/arm64/libonnxruntime." + Version + ".dylib"
	nodeWin      = "package/bin/napi-v6/win32/x64/onnxruntime.dll"
)

// sources is every place the library can be fetched from; the rows of one platform are tried from top to bottom. Digests
// of packages were taken from the published packages themselves, those of archives are the ones the release states.
var sources = []source{
	{buildCPU, "linux", "amd64", viaArchive, "onnxruntime-linux-x64-" + Version + ".tgz", "", archiveLinux,
		"a5ed5a3cac51fbb2e90da632ae43d19212faaa20e76484e62bcb7c23ddb3b3fd"},
	{buildCPU, "linux", "amd64", viaPip, "onnxruntime", "manylinux_2_28_x86_64", wheelLinux,
		"c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed"},
	{buildCPU, "linux", "amd64", viaNpm, "onnxruntime-node", "", nodeLinuxX64,
		"ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23"},

	{buildCPU, "linux", "arm64", viaArchive, "onnxruntime-linux-aarch64-" + Version + ".tgz", "", archiveLinux,
		"e16a27a8ed330bbc698df7330b0cf56e722f354e3bcc92118682c74ef3c3e3da"},
	{buildCPU, "linux", "arm64", viaPip, "onnxruntime", "manylinux_2_28_aarch64", wheelLinux,
		"8a218e1e446880131115c368ec7005969a5022af9a15a26173de648fef0b7789"},
	{buildCPU, "linux", "arm64", viaNpm, "onnxruntime-node", "", nodeLinuxARM,
		"1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76"},

	{buildCPU, "darwin", "arm64", viaArchive, "onnxruntime-osx-arm64-" + Version + ".tgz", "", archiveMac,
		"6ebb5062a934537c352937821f9fe9718e7de1a2db1122a93dd363ffd53a7012"},
	{buildCPU, "darwin", "arm64", viaPip, "onnxruntime", "macosx_14_0_arm64", wheelMac,
		"b46713ea6a25a5227541c21001f6422c1ccdeaecc369aa026a61b752520325c3"},
	{buildCPU, "darwin", "arm64", viaNpm, "onnxruntime-node", "", nodeMac,
		"685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d"},

	{buildCPU, "windows", "amd64", viaArchive, "onnxruntime-win-x64-" + Version + ".zip", "", archiveWin,
		"c6ba983baf5681af108599675d2a89c2d145512d02de28aed0bff177cd0ba949"},
	{buildCPU, "windows", "amd64", viaPip, "onnxruntime", "win_amd64", wheelWin,
		"e42c5c917207ff706530315177e39dca2539695a6a8d968a22225e34291b1f12"},
	{buildCPU, "windows", "amd64", viaNpm, "onnxruntime-node", "", nodeWin,
		"508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67"},

	{buildCUDA, "linux", "amd64", viaArchive, "onnxruntime-linux-x64-gpu_cuda13-" + Version + ".tgz", "", archiveLinux,
		"382d79133112388cf94ce5855789b7c9bef12bef76a08b6b277e5a317213adcd"},
	{buildCUDA, "linux", "amd64", viaPip, "onnxruntime-gpu", "manylinux_2_28_x86_64", wheelLinux,
		"5a140dc17c8b60b35b2ceab0bb533e65ac54f06a208948417c1f9c31df6afc4c"},
	{buildCUDA, "windows", "amd64", viaArchive, "onnxruntime-win-x64-gpu_cuda13-" + Version + ".zip", "", archiveWin,
		"8fa4b08359af682cd605892cb59077049700b640128bb93fd2c7776cf9f55bdc"},
	{buildCUDA, "windows", "amd64", viaPip, "onnxruntime-gpu", "win_amd64", wheelWin,
		"a473c05fb61d5ad61f91b3df8139494af5011e0951213905f9bf3e99ecb53ff4"},
}

// String names a source to people.
func (s source) String() string {
	if s.via == viaArchive {
		return "release archive " + s.name
	}
	return fmt.Sprintf("%s package %s %s", s.via, s.name, Version)
}

// file says under which name a file of the package is kept, or "" where it is not needed: the library itself, and the
// libraries it loads from beside it (execution providers; on Windows DirectML's too).
func (s source) file(name string) string {
	name = path.Clean(name)
	base := path.Base(name)
	beside, err := path.Match(path.Dir(s.library), path.Dir(name))
	switch {
	case err != nil || !beside:
		return ""
	case base == path.Base(s.library):
		return base
	case s.isLibrary(base) && (s.os == "windows" || strings.Contains(base, "onnxruntime_providers_")):
		return base
	}
	return ""
}

// isLibrary reports whether a file name is a shared library's on the source's system.
func (s source) isLibrary(base string) bool {
	return path.Ext(base) == map[string]string{"linux": ".so", "darwin": ".dylib", "windows": ".dll"}[s.os]
}
