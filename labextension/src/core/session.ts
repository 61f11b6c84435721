/** What all views of a page share: one client, one stream, and one model of each run that is followed. */

import { Client } from './client';
import type { Host } from './host';
import { RunModel } from './run_model';
import { Stream } from './stream';

export class Session {
  readonly client: Client;
  readonly stream: Stream;
  private readonly models = new Map<string, RunModel>();

  constructor(readonly host: Host) {
    this.client = new Client(host);
    this.stream = new Stream(() => host.socket());
  }

  /** Follow a run; the second value ends it. */
  follow(workspace: string, run: string): [RunModel, () => void] {
    const key = JSON.stringify([workspace, run]);
    const model = this.models.get(key) ?? new RunModel(workspace, run, this.client, this.stream);
    this.models.set(key, model);
    model.retain();
    const release = (): void => {
      if (!model.release() && this.models.get(key) === model) {
        this.models.delete(key);
      }
    };
    return [model, release];
  }
}

const sessions = new WeakMap<Host, Session>();

/** The session of this host: the same for all its views. */
export function sessionOf(host: Host): Session {
  let found = sessions.get(host);
  if (!found) {
    found = new Session(host);
    sessions.set(host, found);
  }
  return found;
}
