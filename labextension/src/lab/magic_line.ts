/** The line that makes a run of a cell. */

import { MAGIC } from '../views/run_columns';
import type { Form } from './submit_form';

/** The magic's line for what a person chose. */
export function magicLine({ name, experiment, target, environment }: Form): string {
  const words = [MAGIC];
  if (name.startsWith('-')) {
    words.push(...flag('--name', name));
  } else if (name !== '') {
    words.push(quoted(name));
  }
  words.push(...flag('--experiment', experiment));
  words.push(...flag('--target', target === 'local' ? '' : target));
  words.push(...flag('--env', environment));
  return words.join(' ');
}

function flag(name: string, value: string): string[] {
  if (value === '') {
    return [];
  }
  // What begins with a dash would be a flag by itself.
  return value.startsWith('-') ? [`${name}=${quoted(value)}`] : [name, quoted(value)];
}

function quoted(word: string): string {
  return /^[\w.,:=+@/~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
