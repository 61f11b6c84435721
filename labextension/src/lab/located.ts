import type { Host } from '../core/host';
import type { Found, WorkspaceInfo } from '../core/contract';

/** An answer is good for so long: a run may be deleted, and its workspace moved. */
const KEPT_MS = 30_000;

/** Where runs live: outputs of the same run wait for the same answer. */
export class Located {
  private readonly asked = new Map<string, Promise<WorkspaceInfo | null>>();

  constructor(private readonly host: Host) {}

  /**
   * Find the workspace that holds a run.
   *
   * @param folder Of the notebook that shows it, below the server's root.
   * @returns null if none that the server knows does, or the server extension is not there: then what the notebook holds
   *   stays as it is.
   */
  find(run: string, folder: string): Promise<WorkspaceInfo | null> {
    const key = `${folder}\n${run}`;
    const known = this.asked.get(key);
    if (known !== undefined) {
      return known;
    }
    const answer = this.ask(run, folder);
    this.asked.set(key, answer);
    // One that is not known may come to be, by a submission or a copy.
    void answer.then(found => setTimeout(() => this.asked.delete(key), found === null ? 0 : KEPT_MS));
    return answer;
  }

  private async ask(run: string, folder: string): Promise<WorkspaceInfo | null> {
    try {
      const response = await this.host.fetch(`find?${new URLSearchParams({ run, folder }).toString()}`);
      return response.ok ? ((await response.json()) as Found).workspace : null;
    } catch {
      return null;
    }
  }
}
