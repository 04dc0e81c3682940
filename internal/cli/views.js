(() => {
  const namespace = location.pathname.split("/")[2] ?? "default", ago = days => new Date(Date.now() - days * 864e5).toISOString();
  const today = new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
  const columns = ["Status", "Workflow ID", "KycStatus", "KycOutcome", "KycWaitingFor", "KycErrorType", "Type", "Start"];
  const views = {
    "Waiting over a day": `ExecutionStatus = 'Running' AND WorkflowType = 'Verification' AND StartTime < '${ago(1)}'`,
    "In review too long": `ExecutionStatus = 'Running' AND KycWaitingFor = 'review' AND StartTime < '${ago(3)}'`,
    "Decided today": `KycOutcome IN ('approved', 'declined') AND CloseTime > '${today}'`,
    "Rate-limited now": `ExecutionStatus = 'Running' AND KycWaitingFor = 'limit'`,
    "Didit is silent": `ExecutionStatus = 'Running' AND KycErrorType = 'DiditUnavailable'`,
    "Undelivered": `ExecutionStatus = 'Running' AND KycWaitingFor = 'callback'`,
    "Never delivered, this week": `KycErrorType IN ('CallbackFailed', 'CallbackGone') AND CloseTime > '${ago(7)}'`,
    "Needs an operator": `ExecutionStatus = 'Running' AND KycWaitingFor = 'operator'`,
    "Got no session today": `KycOutcome = 'failed' AND CloseTime > '${today}'`,
  };
  const keep = (key, change) => {
    const all = JSON.parse(localStorage.getItem(key) ?? "{}");
    localStorage.setItem(key, JSON.stringify({...all, [namespace]: change(all[namespace] ?? [])}));
  };
  keep("namespace-workflow-table-columns", () => columns.map(label => label === "Workflow ID" ? {label, width: 250} : {label}));
  keep("saved-workflow-queries", mine => [...mine.filter(v => !views[v.name]),
    ...Object.entries(views).map(([name, query]) => ({id: name, name, query, type: "user"}))]);
  location.reload();
})();
