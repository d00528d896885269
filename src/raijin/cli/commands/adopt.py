"""raijin cluster adopt"""

from __future__ import annotations

from pathlib import Path

import click

from raijin.cli.options import home, output_option, print_json, run_async


@click.command()
@click.argument("address")
@click.option("--name", metavar="NAME", help="Name of the cluster; default: as its hosts or kubeadm call it.")
@click.option("--user", default="root", show_default=True, help="The user who logs in.")
@click.option("--port", default=22, show_default=True, help="The TCP port of the SSH servers.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The private key.")
@click.option("--jump", metavar="USER@HOST", help="The host to go through.")
@click.option("--sudo-password", metavar="REF", help="Where the password for sudo is: env:NAME or file:PATH.")
@click.option("--trust-first-use", is_flag=True, help="Accept host keys that were never seen, and remember them.")
@click.option("--write", type=click.Path(path_type=Path), metavar="FILE", help="Write the definition there.")
@output_option
def adopt(
    address: str,
    name: str | None,
    user: str,
    port: int,
    key: Path | None,
    jump: str | None,
    sudo_password: str | None,
    trust_first_use: bool,
    write: Path | None,
    output: str,
) -> None:
    """Write a definition of a cluster that runs, read from one of its control plane hosts, at ADDRESS.

    For clusters that were made by kubeadm, K3s or RKE2, by hand or by other tools, and for those of a RAIJIN_HOME that
    was lost. Nothing is changed on any host; the hosts are noted as members, so that `raijin plan` shows what Raijin
    would change.
    """
    from raijin.app.adopting import Way  # noqa: PLC0415
    from raijin.app.adopting import adopt as take  # noqa: PLC0415

    if write is not None and write.exists():
        raise click.UsageError(f"{write} exists already")
    if sudo_password is not None and not sudo_password.startswith(("env:", "file:")):
        raise click.UsageError("--sudo-password takes env:NAME or file:PATH: a password here would be seen by others")
    ssh: dict[str, object] = {"user": user}
    ssh |= {"port": port} if port != 22 else {}
    ssh |= {"key": str(key)} if key else {}
    ssh |= {"jump": jump} if jump else {}
    ssh |= {"trustFirstUse": True} if trust_first_use else {}
    become: dict[str, object] = {"password": sudo_password} if sudo_password else {}
    adopted = run_async(take(home(), address, Way(ssh, become), name=name))
    if write is not None:
        write.write_text(adopted.text)
    if output == "json":
        about = {"cluster": adopted.name, "members": list(adopted.members), "remarks": list(adopted.remarks)}
        print_json({**about, "definition": adopted.text})
        return
    if write is None:
        click.echo(adopted.text, nl=False)
    for remark in adopted.remarks:
        click.echo(f"note: {remark}", err=True)
    where = f"; the definition is in {write}" if write else ""
    click.echo(f"{adopted.name}: {len(adopted.members)} hosts are known now{where}; look at `raijin plan`", err=True)
