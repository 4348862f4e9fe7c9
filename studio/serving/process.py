"""The process that serves: `python -m studio.serving.process`, told what by one JSON object on standard input.

What llama.cpp and the server print goes to standard error, which is the log; a line on the true standard output says
when it listens.
"""

import os
import sys
from pathlib import Path
from typing import Any, cast

import orjson

from studio.rendering import ChatTokenizer
from studio.serving import chat_handler
from studio.serving.bodies import checked
from studio.serving.guard import Application, fault, guarded
from studio.serving.settings import Serving


def main() -> None:
    """Serve until told to end."""
    serving = Serving(**orjson.loads(sys.stdin.buffer.readline()))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(application(serving), host=serving.host, port=serving.port, log_level="warning")
    )
    started = server.startup

    async def startup(*args: object, **kwargs: object) -> None:
        await started(*args, **kwargs)  # type: ignore[arg-type]
        if server.started:
            answers.write("listening\n")

    server.startup = startup  # type: ignore[method-assign]
    server.run()


def application(serving: Serving) -> Application:
    """Return the application: llama-cpp-python's, with this rendering, and guarded where no key is."""
    from fastapi import HTTPException
    from llama_cpp.server.app import create_app
    from llama_cpp.server.errors import RouteErrorHandler
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    tokenizer = ChatTokenizer.load(Path(serving.tokenizer_folder), serving.template)
    chat_handler.register(serving.name, tokenizer, serving.system)
    model = ModelSettings(
        model=serving.gguf,
        model_alias=serving.name,
        lora_path=serving.adapter,
        chat_format=chat_handler.NAME,
        n_ctx=serving.context,
        n_gpu_layers=-1,
        verbose=False,
    )
    server = ServerSettings(host=serving.host, port=serving.port, api_key=serving.key or None, interrupt_requests=False)
    RouteErrorHandler.error_message_wrapper = _explained(RouteErrorHandler.error_message_wrapper)
    made = create_app(server_settings=server, model_settings=[model])
    made.add_exception_handler(HTTPException, _refusal)
    served = checked(cast(Application, made), serving.name)
    return guarded(served) if serving.is_for_this_machine else served


def _explained(others: Any) -> Any:
    """Return what words a fault: one of the request as the client's, which the library takes for its own."""
    from fastapi.exceptions import RequestValidationError

    def worded(handler: Any, error: Exception, body: Any = None) -> Any:
        if not isinstance(error, RequestValidationError):
            return others(handler, error, body)
        first = error.errors()[0]
        return 400, fault(f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}.")

    return worded


async def _refusal(_: Any, error: Any) -> Any:
    from fastapi.responses import JSONResponse

    return JSONResponse({"error": fault(error.detail)}, status_code=error.status_code)


if __name__ == "__main__":
    main()
