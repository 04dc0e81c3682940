package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"didit-temporal/didit/diditsim"
)

// faultHelp describes what webhookFault reads.
const faultHelp = "faults of the `webhooks` of each session: drop=1,3 or corrupt=1,3 for the first and third event, " +
	"duplicate=2 for two more of each, reorder=3,1,2, or seed=42 for a random mix, the same for the same number; empty for none"

// seededOdds are those of seed=N: enough to meet every fault within a few sessions.
var seededOdds = diditsim.Odds{Drop: 0.1, Duplicate: 0.2, Corrupt: 0.1, Delay: 0.3, MaxDelay: 30 * time.Second}

// webhookFault reads "drop=1,3" and the like.
func webhookFault(s string) (diditsim.WebhookScript, error) {
	if s == "" {
		return nil, nil
	}
	kind, list, _ := strings.Cut(s, "=")
	var numbers []int
	for item := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil || n < 1 || (n > 64 && kind != "seed") {
			return nil, fmt.Errorf("-webhook-fault %q: want numbers from 1 to 64 after the =", s)
		}
		numbers = append(numbers, n)
	}
	switch {
	case kind == "drop":
		return diditsim.DropMask(mask(numbers)), nil
	case kind == "corrupt":
		return diditsim.CorruptMask(mask(numbers)), nil
	case kind == "reorder":
		return diditsim.Reorder(numbers), nil
	case kind == "duplicate" && len(numbers) == 1:
		return diditsim.Duplicate(numbers[0]), nil
	case kind == "seed" && len(numbers) == 1:
		return diditsim.Seeded(int64(numbers[0]), seededOdds), nil
	}
	return nil, fmt.Errorf("-webhook-fault %q: want drop=, corrupt=, reorder=, duplicate= or seed=, the last two with one number", s)
}

func mask(numbers []int) uint64 {
	var m uint64
	for _, n := range numbers {
		m |= 1 << (n - 1)
	}
	return m
}
