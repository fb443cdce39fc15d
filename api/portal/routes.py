"""stub"""

from fastapi import APIRouter


def portal_router(services, templates):
    return APIRouter()
