package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"didit-temporal/internal/atomicfile"
)

// private is the mode of a file with secrets.
const private fs.FileMode = 0o600

// Load reads a file; one that does not exist is empty and can be saved. A symbolic link is refused: what is saved would
// go elsewhere than the path says, or replace the link.
func Load(path string) (*File, error) {
	f := &File{path: path}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("read the env file: %w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symbolic link: name the file that it leads to", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	}
	f.mode, f.exists = info.Mode().Perm(), true
	return f, f.read()
}

// Read is Load for a reader that does not write: a symbolic link is accepted, and the file must exist.
func Read(path string) (*File, error) {
	f := &File{path: path}
	return f, f.read()
}

func (f *File) read() (err error) {
	if f.loaded, err = os.ReadFile(f.path); err != nil {
		return fmt.Errorf("read the env file: %w", err)
	}
	if f.lines, err = parse(f.loaded); err != nil {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	return nil
}

// Mode is that of the file as it was found.
func (f *File) Mode() fs.FileMode { return f.mode }

// Shared reports whether others than the owner could read or write the file. Save fixes that.
func (f *File) Shared() bool { return f.exists && f.mode&0o077 != 0 }

// Save writes the file in one step, readable by its owner only. A concurrent reader gets the old content or the new one,
// and so does the disk after a crash. A change by another program since Load is an error, and is not overwritten.
func (f *File) Save() error {
	if err := f.unchanged(); err != nil {
		return err
	}
	content := f.bytes()
	if f.exists && f.mode == private && bytes.Equal(content, f.loaded) {
		return nil
	}
	if err := atomicfile.Replace(f.path, content); err != nil {
		return fmt.Errorf("write the env file %s: %w", f.path, err)
	}
	f.loaded, f.mode, f.exists = content, private, true
	return nil
}

func (f *File) unchanged() error {
	now, err := Load(f.path)
	if err != nil {
		return err
	}
	if now.exists != f.exists || !bytes.Equal(now.loaded, f.loaded) {
		return fmt.Errorf("%s was changed by another program: run the command again", f.path)
	}
	return nil
}
