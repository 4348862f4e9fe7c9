"""What a job was asked for and what came of it, in words: each kind says it in its own."""

from store.jobs import Job


def asked(job: Job) -> list[str]:
    """Say what a job was asked for."""
    match job.kind:
        case "candidates":
            from studio.generating.wanted import Wanted, describe

            return describe(Wanted.of(job.request))
        case "prompts":
            from studio.synthetic.request import VaryRequest

            return [VaryRequest.from_json(job.request).sentence]
        case "judge":
            from studio.ai_judge.request import JudgeRequest

            return [JudgeRequest.from_json(job.request).sentence]


def lines(job: Job) -> list[str]:
    """Say what came of a job."""
    match job.kind:
        case "candidates":
            from studio.generating.report import lines as of_candidates

            return of_candidates(job)
        case "prompts":
            from studio.synthetic.report import lines as of_prompts

            return of_prompts(job)
        case "judge":
            from studio.ai_judge.report import counted

            return counted(job)
