package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	marks   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestLinksOfThePagesResolve(t *testing.T) {
	pages := markdown(t)
	require.Contains(t, pages, filepath.Join(root, "README.md"))
	for page, text := range pages {
		for _, target := range brokenLinks(pages, page, text) {
			t.Errorf("%s: nothing is at %s", page, target)
		}
	}
}

func TestABrokenLinkIsFound(t *testing.T) {
	pages := map[string]string{"a.md": "# One `two`: three\n```\n# no heading\n```\n"}
	text := "[x](a.md) [x](a.md#one-two-three) [x](https://example.com) [x](#own)\n## Own\n" +
		"[x](a.md#no-heading) [x](b.md) [x](#other)"
	assert.Equal(t, []string{"a.md#no-heading", "b.md", "#other"}, brokenLinks(pages, "page.md", text))
}

// brokenLinks returns the relative links of a page whose file or heading does not exist.
func brokenLinks(pages map[string]string, page, text string) []string {
	var broken []string
	for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		file, anchor, _ := strings.Cut(m[1], "#")
		target, to := text, filepath.Join(filepath.Dir(page), file)
		if file != "" {
			target = pages[to]
		}
		_, err := os.Stat(to)
		missing := file != "" && target == "" && err != nil
		if missing || anchor != "" && !slices.Contains(anchors(target), anchor) {
			broken = append(broken, m[1])
		}
	}
	return broken
}

// anchors returns what GitHub makes of the headings of a page.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		title := link.ReplaceAllString(m[1], "")
		all = append(all, strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(title), ""), " ", "-"))
	}
	return all
}

// markdown returns the text of each page of the repository by its path.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" || d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		pages[path] = string(text)
		return err
	}))
	return pages
}
