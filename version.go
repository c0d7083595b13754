package lessee

import (
	"os"
	"runtime"
	"runtime/debug"
)

// APIVersion is the version of the control API that this package speaks. It
// grows when something is added and the path prefix, /v1, changes when
// something is taken away.
const APIVersion = 1

// VersionInfo says which build of lessee a process runs.
type VersionInfo struct {
	// Version is the release, such as "v0.3.0", or "(devel)".
	Version string `json:"version"`
	// Commit is the revision it was built from; "+" at its end says that the
	// source had changes. Empty if the build does not know.
	Commit string `json:"commit,omitempty"`
	// Go is the version of the Go toolchain.
	Go string `json:"go"`
	// OS and Arch are the system it was built for.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	// API is the version of the control API.
	API int `json:"api"`
	// PID is the process's number, as that process sees it.
	PID int `json:"pid,omitempty"`
}

// Build describes the running process itself. [Client.Version] asks the daemon
// for the same.
func Build() VersionInfo {
	v := VersionInfo{
		Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		API: APIVersion, PID: os.Getpid(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	dirty := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+"
			}
		}
	}
	if v.Commit != "" {
		v.Commit += dirty
	}
	return v
}
