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
	library  string // path inside the package
	sha256   string // of that file; "" where it is not known, and TLS and the client's own check must do
}

const (
	wheelLinux = "onnxruntime/capi/libonnxruntime.so." + Version
	nodeLinux  = "/libonnxruntime.so.1"
	nodeBin    = "package/bin/napi-v6/"
	releases   = "https://github.com/microsoft/onnxruntime/releases/download/v" + Version + "/"
)

// sources is every place the library can be fetched from; the rows of one platform are tried from top to bottom.
var sources = []source{
	{buildCPU, "linux", "amd64", viaArchive, "onnxruntime-linux-x64-" + Version + ".tgz", "",
		"onnxruntime-linux-x64-" + Version + "/lib/libonnxruntime.so." + Version, ""},
	{buildCPU, "linux", "amd64", viaPip, "onnxruntime", "manylinux_2_28_x86_64", wheelLinux,
		"c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed"},
	{buildCPU, "linux", "amd64", viaNpm, "onnxruntime-node", "", nodeBin + "linux/x64" + nodeLinux,
		"ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23"},

	{buildCPU, "linux", "arm64", viaArchive, "onnxruntime-linux-aarch64-" + Version + ".tgz", "",
		"onnxruntime-linux-aarch64-" + Version + "/lib/libonnxruntime.so." + Version, ""},
	{buildCPU, "linux", "arm64", viaPip, "onnxruntime", "manylinux_2_28_aarch64", wheelLinux,
		"8a218e1e446880131115c368ec7005969a5022af9a15a26173de648fef0b7789"},
	{buildCPU, "linux", "arm64", viaNpm, "onnxruntime-node", "", nodeBin + "linux/arm64" + nodeLinux,
		"1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76"},

	{buildCPU, "darwin", "arm64", viaArchive, "onnxruntime-osx-arm64-" + Version + ".tgz", "",
		"onnxruntime-osx-arm64-" + Version + "/lib/libonnxruntime." + Version + ".dylib", ""},
	{buildCPU, "darwin", "arm64", viaPip, "onnxruntime", "macosx_14_0_arm64",
		"onnxruntime/capi/libonnxruntime." + Version + ".dylib",
		"b46713ea6a25a5227541c21001f6422c1ccdeaecc369aa026a61b752520325c3"},
	{buildCPU, "darwin", "arm64", viaNpm, "onnxruntime-node", "", nodeBin + "darwin/arm64/libonnxruntime." + Version + ".dylib",
		"685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d"},

	{buildCPU, "windows", "amd64", viaArchive, "onnxruntime-win-x64-" + Version + ".zip", "",
		"onnxruntime-win-x64-" + Version + "/lib/onnxruntime.dll", ""},
	{buildCPU, "windows", "amd64", viaPip, "onnxruntime", "win_amd64", "onnxruntime/capi/onnxruntime.dll",
		"e42c5c917207ff706530315177e39dca2539695a6a8d968a22225e34291b1f12"},
	{buildCPU, "windows", "amd64", viaNpm, "onnxruntime-node", "", nodeBin + "win32/x64/onnxruntime.dll",
		"508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67"},

	{buildCUDA, "linux", "amd64", viaArchive, "onnxruntime-linux-x64-gpu-" + Version + ".tgz", "",
		"onnxruntime-linux-x64-gpu-" + Version + "/lib/libonnxruntime.so." + Version, ""},
	{buildCUDA, "linux", "amd64", viaPip, "onnxruntime-gpu", "manylinux_2_28_x86_64", wheelLinux,
		"5a140dc17c8b60b35b2ceab0bb533e65ac54f06a208948417c1f9c31df6afc4c"},
	{buildCUDA, "windows", "amd64", viaArchive, "onnxruntime-win-x64-gpu-" + Version + ".zip", "",
		"onnxruntime-win-x64-gpu-" + Version + "/lib/onnxruntime.dll", ""},
	{buildCUDA, "windows", "amd64", viaPip, "onnxruntime-gpu", "win_amd64", "onnxruntime/capi/onnxruntime.dll", ""},
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
	switch {
	case name == s.library:
		return base
	case path.Dir(name) != path.Dir(s.library):
		return ""
	case strings.Contains(base, "onnxruntime_providers_") && s.isLibrary(base), s.os == "windows" && s.isLibrary(base):
		return base
	}
	return ""
}

// isLibrary reports whether a file name is a shared library's on the source's system.
func (s source) isLibrary(base string) bool {
	return path.Ext(base) == map[string]string{"linux": ".so", "darwin": ".dylib", "windows": ".dll"}[s.os]
}
