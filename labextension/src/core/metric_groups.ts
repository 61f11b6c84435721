/** Which metrics share a chart: the same quantity on training and validation data (amlnb/render/metric_groups.py). */

const SPLITS = 'train|training|val|valid|validation|test|eval|dev';
const BEFORE = new RegExp(`^(${SPLITS})[/_.\\-: ](.+)$`, 'i');
const AFTER = new RegExp(`^(.+)[/_.\\-: ](${SPLITS})$`, 'i');

export interface MetricGroup {
  /** The quantity. */
  title: string;
  /** Metrics and their labels within the chart, in the order of first use. */
  members: { name: string; label: string }[];
}

/** Group names such as `loss` and `val_loss`, or `train/acc` and `test/acc`; in the order of first use. */
export function groupMetrics(names: readonly string[]): MetricGroup[] {
  const groups = new Map<string, { name: string; label: string }[]>();
  for (const name of names) {
    const [quantity, label] = parts(name);
    const members = groups.get(quantity) ?? [];
    members.push({ name, label });
    groups.set(quantity, members);
  }
  return [...groups].map(([quantity, members]) => {
    const [first] = members;
    const alone = members.length === 1 && first !== undefined;
    return alone ? { title: first.name, members } : { title: quantity, members: labelled(quantity, members) };
  });
}

/** Call the plain name `train` beside its validation twin, as its writer means it. */
function labelled(quantity: string, members: MetricGroup['members']): MetricGroup['members'] {
  if (members.some(({ label }) => /^train(ing)?$/i.test(label))) {
    return members;
  }
  return members.map(({ name, label }) => ({ name, label: label === quantity ? 'train' : label }));
}

function parts(name: string): [string, string] {
  const before = BEFORE.exec(name);
  if (before) {
    return [before[2] as string, before[1] as string];
  }
  const after = AFTER.exec(name);
  return after ? [after[1] as string, after[2] as string] : [name, name];
}
