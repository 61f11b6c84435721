import type { Host } from '../core/host';
import type { Found, WorkspaceInfo } from '../core/contract';

/** Where runs live, asked once a run: outputs of the same run wait for the same answer. */
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
    const answer = this.ask(run, folder).then(found => {
      if (found === null) {
        this.asked.delete(key); // It may come to be known, by a submission or a copy.
      }
      return found;
    });
    this.asked.set(key, answer);
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
