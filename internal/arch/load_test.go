package arch_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// source is one production file of the module.
type source struct {
	name  string // path from the root
	dir   string
	lines int
	fset  *token.FileSet
	ast   *ast.File
}

// load parses every production file of the module whose root fsys is. Other modules below it (they have a
// go.mod), testdata and hidden folders are left out.
func load(fsys fs.FS) ([]source, error) {
	var all []source
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(fsys, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		s, err := parse(fsys, name)
		all = append(all, s)
		return err
	})
	return all, err
}

func enter(fsys fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	if err == nil || base == "testdata" || base == "bin" || strings.HasPrefix(base, ".") {
		return fs.SkipDir
	}
	return nil
}

func parse(fsys fs.FS, name string) (source, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return source{}, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, b, parser.SkipObjectResolution)
	return source{name: name, dir: path.Dir(name), lines: bytes.Count(b, []byte("\n")), fset: fset, ast: f}, err
}

// imports returns the import paths of a file.
func (s source) imports() []string {
	var all []string
	for _, i := range s.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		all = append(all, p)
	}
	return all
}

func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }
