// Package version names the build that is running.
package version

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// The linker sets these for an image, whose build does not see git:
//
//	-ldflags "-X didit-temporal/internal/version.version=v1.2.3 -X didit-temporal/internal/version.revision=COMMIT"
var version, revision string

// Unknown is a version or a revision that the build did not record.
const Unknown = "unknown"

// Build names a build.
type Build struct {
	Version, Revision, Go string
}

// Get returns what the linker was given, else what Go recorded of the module and of git.
func Get() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	commit := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return Build{
		Version:  cmp.Or(version, info.Main.Version, Unknown),
		Revision: cmp.Or(revision, commit, Unknown),
		Go:       runtime.Version(),
	}
}

// String is what --version prints.
func (b Build) String() string {
	return fmt.Sprintf("%s, revision %s, %s", b.Version, b.Revision, b.Go)
}
