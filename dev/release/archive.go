package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// archive writes the programs and the files into one folder of a tar.
func (r *release) archive(p v1.Platform, files []string) (err error) {
	out, err := os.Create(r.path(suffix(p) + ".tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	zip := gzip.NewWriter(out)
	t := tar.NewWriter(zip)
	folder := "kyc_" + r.version + "_" + suffix(p) + "/"
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		if err := addFile(t, r.binary(p, name), folder+name, 0o755, r.date); err != nil {
			return err
		}
	}
	for _, name := range files {
		mode, err := modeOf(filepath.Join(r.root, name))
		if err != nil {
			return err
		}
		if err := addFile(t, filepath.Join(r.root, name), folder+name, mode, r.date); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), zip.Close())
}

// modeOf keeps of a file's mode what git keeps of it, so that the machine's umask does not matter.
func modeOf(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	if info.Mode()&0o100 != 0 {
		return 0o755, nil
	}
	return 0o644, nil
}

func addFile(t *tar.Writer, source, name string, mode int64, date time.Time) error {
	content, err := os.ReadFile(source) //nolint:gosec // G304: ours
	if err != nil {
		return err
	}
	return add(t, name, content, mode, date)
}

// add writes an entry without an owner, as extracting it gives it one.
func add(t *tar.Writer, name string, content []byte, mode int64, date time.Time) error {
	h := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: mode, ModTime: date, Format: tar.FormatPAX}
	if err := t.WriteHeader(&h); err != nil {
		return err
	}
	_, err := t.Write(content)
	return err
}

// checksums writes SHA256SUMS, which `sha256sum -c` reads.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644) //nolint:gosec // G306: it is published
}
