package billable_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/billable"
)

var price = regexp.MustCompile(`(?m)^\| (.+) \| (\d+) \| (\$[\d.]+) \|$`)

func TestThePageOfTemporalCloudMultipliesRight(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", "cloud.md"))
	require.NoError(t, err)
	most := 0
	for _, row := range price.FindAllStringSubmatch(string(page), -1) {
		actions, err := strconv.Atoi(row[2])
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("$%.2f", 1000*float64(actions)*billable.Dollars), row[3], row[1])
		if actions == billable.MostOfHappy {
			most++
		}
	}
	assert.Equal(t, 1, most, "the row of a verification that goes well")
}
