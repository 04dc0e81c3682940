package ratio

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheIntervalIsThatOfTheSignTest(t *testing.T) {
	// Tables of the sign test: of 20 sorted values the 6th and the 15th, of 50 the 18th and the 33rd.
	for n, want := range map[int]int{1: 0, 5: 0, 6: 0, 8: 0, 9: 1, 20: 5, 50: 17} {
		assert.Equal(t, want, outside(n), "%d pairs", n)
	}
}

func TestTheIntervalHoldsTheTruthNineteenTimesInTwenty(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	held, times := 0, 2000
	for range times {
		var p Pairs
		for range Enough { // the machine is three times as slow now and then; a pair is slow together
			slow := math.Exp(draw.NormFloat64())
			p.Add(2*slow*math.Exp(0.3*draw.NormFloat64()), slow)
		}
		if r := p.Ratio(); r.Low <= 2 && 2 <= r.High {
			held++
		}
	}
	assert.Greater(t, float64(held)/float64(times), 0.94)
}

func TestMediansAndQuantiles(t *testing.T) {
	assert.InDelta(t, 2.5, Median([]float64{4, 1, 3, 2}), 1e-9)
	assert.InDelta(t, 99, Quantile([]float64{100, 0}, 0.99), 1e-9)
	assert.True(t, math.IsNaN(Median(nil)))
	var p Pairs
	p.Add(1, 0)
	assert.True(t, math.IsNaN(p.Ratio().Median), "nothing is a multiple of nothing")
}
